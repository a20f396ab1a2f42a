// libvirt's list of named values.
#pragma once
#include <string>

#include "drivers/libvirt/handles.h"

namespace hvagent::libvirt {

class TypedParams {
public:
    TypedParams() = default;
    ~TypedParams() { virTypedParamsFree(params_, count_); }
    TypedParams(const TypedParams&) = delete;
    TypedParams& operator=(const TypedParams&) = delete;

    void add(const char* name, unsigned long long value) {
        checked(virTypedParamsAddULLong(&params_, &count_, &room_, name, value), name);
    }
    void add(const char* name, const std::string& value) {
        checked(virTypedParamsAddString(&params_, &count_, &room_, name, value.c_str()), name);
    }
    void add(const char* name, int value) { checked(virTypedParamsAddInt(&params_, &count_, &room_, name, value), name); }
    virTypedParameterPtr get() const { return params_; }
    int count() const { return count_; }

private:
    virTypedParameterPtr params_ = nullptr;
    int count_ = 0;
    int room_ = 0;
};

}  // namespace hvagent::libvirt
