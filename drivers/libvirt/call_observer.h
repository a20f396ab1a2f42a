// Who counts the calls to libvirt: how long each kept its caller, and how it ended.
#pragma once
#include <chrono>
#include <functional>
#include <string_view>

namespace hvagent::libvirt {

enum class CallEnd { done, failed, timed_out };

// `kind`: the call without the name of its object ("resize volume"), so that there are few of them. From any thread.
using CallObserver = std::function<void(std::string_view kind, CallEnd end, std::chrono::microseconds took)>;

// "resize volume 4f.." -> "resize volume"
inline std::string_view kind_of_call(std::string_view what) {
    for (std::string_view noun : {" volume ", " network "})
        if (const auto at = what.find(noun); at != std::string_view::npos) return what.substr(0, at + noun.size() - 1);
    return what;
}

}  // namespace hvagent::libvirt
