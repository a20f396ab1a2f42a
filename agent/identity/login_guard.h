// Slows down those who guess passwords, without keeping a thread busy: who failed often is told to come back later.
#pragma once
#include <map>
#include <mutex>
#include <string>

#include "hvagent/clock.h"

namespace hvagent::identity {

// Thread-safe.
class LoginGuard {
public:
    explicit LoginGuard(const Clock& clock) : clock_(clock) {}

    // Counts as a failure until succeeded() is called. Error(login_refused) says how long to wait; asking then counts
    // nothing.
    void attempt(const std::string& account, const std::string& address);
    void succeeded(const std::string& account, const std::string& address);

private:
    struct Failures {
        int in_a_row = 0;
        Moment last{};
        Moment refused_until{};
    };
    void forget_old(Moment now);

    const Clock& clock_;
    std::mutex mutex_;
    std::map<std::string, Failures> failures_;  // by address and account
};

}  // namespace hvagent::identity
