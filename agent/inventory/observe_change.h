// Facts seen on a host, written down when somebody looks.
#pragma once
#include "agent/inventory/inventory.h"

namespace hvagent::inventory {

// As Inventory::observe, but what is known already is not written: a query must not wait for a writer for nothing.
// `change` may run twice.
template <class T>
void observe_change(Inventory& inventory, const IdOf<T>& id, const std::function<void(T&)>& change) {
    const auto known = inventory.find<T>(id);
    if (!known) return;
    T seen = *known;
    change(seen);
    const auto& record = record_of<T>();
    if (record.store(seen) != record.store(*known)) inventory.observe<T>(id, change);
}

}  // namespace hvagent::inventory
