// Image files of tests, made and judged by qemu-img and qemu-io directly.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace hvagent::testing {

inline bool shell(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

// A layer of `megabytes`, with `count` MiB of this byte from MiB `at`.
inline void make_layer(const std::string& path, const std::string& base, int megabytes, int byte, int at, int count) {
    const std::string backing = base.empty() ? "" : " -F qcow2 -b " + base;
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2" + backing + " " + path + " " + std::to_string(megabytes) + "M")) << path;
    ASSERT_TRUE(shell("qemu-io -f qcow2 -c 'write -P " + std::to_string(byte) + " " + std::to_string(at) + "M " +
                      std::to_string(count) + "M' " + path))
        << path;
}

inline void flat_copy(const std::string& source, const std::string& target) {
    ASSERT_TRUE(shell("qemu-img convert -U -f qcow2 -O qcow2 " + source + " " + target));
}

// The content, whatever the layers.
inline bool are_alike(const std::string& one, const std::string& other) {
    return shell("qemu-img compare -U -f qcow2 -F qcow2 " + one + " " + other);
}

inline bool is_sound(const std::string& path) {
    return shell("qemu-img check -U -f qcow2 " + path);
}

}  // namespace hvagent::testing
