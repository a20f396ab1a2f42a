// What happened on this host, as a reader of the event stream gets it.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace hvagent {

struct FeedEvent {
    std::string id;
    std::string kind;
    std::string data;  // JSON text, one line
};

// Thread-safe.
class EventFeed {
public:
    struct Place {
        std::int64_t position = 0;   // what comes after it is read next
        bool needs_picture = false;  // the whole state comes first: the reader is new, or what it missed is gone
    };
    virtual ~EventFeed() = default;
    // After the event with this id; with an empty or unknown id a picture comes first.
    virtual Place find(const std::string& id) const = 0;
    // At most `most` events; moves `place` behind them.
    virtual std::vector<FeedEvent> read(Place& place, std::size_t most) const = 0;
    // Position of the last event: whether a reading is worth it.
    virtual std::int64_t newest() const = 0;
    // Called when there may be news; must not block. Replaces the listener before; an empty one is none.
    virtual void on_news(std::function<void()> listener) = 0;
};

}  // namespace hvagent
