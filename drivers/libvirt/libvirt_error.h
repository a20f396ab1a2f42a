// libvirt's errors in hvagent's words.
#pragma once
#include <string>
#include <string_view>

#include "hvagent/error.h"

namespace hvagent::libvirt {

// What libvirt said about the last failed call of this thread. `number` is a virErrorNumber.
class LibvirtError : public Error {
public:
    LibvirtError(Code code, std::string details, int number) : Error(code, std::move(details)), number_(number) {}
    int number() const { return number_; }

private:
    int number_;
};

// `what` ("start VM 6f..."), libvirt's text and number.
LibvirtError last_error(std::string_view what);
[[noreturn]] void throw_last_error(std::string_view what);

// For results that are no failure to the caller, such as "no such domain". Both read this thread's last error.
int last_error_number();
std::string last_error_text();

// libvirt prints every error on stderr unless told otherwise; ours travel as exceptions.
void silence_error_output();

}  // namespace hvagent::libvirt
