// Facts seen on the host, written down when a client asks.
#pragma once
#include "agent/inventory/inventory.h"

namespace hvagent::operations {

// As Inventory::observe, but what is known already is not written: a query must not wait for a writer for nothing.
// `change` may run twice.
template <class T>
void observe_change(inventory::Inventory& inventory, const inventory::IdOf<T>& id, const std::function<void(T&)>& change) {
    const auto known = inventory.find<T>(id);
    if (!known) return;
    T seen = *known;
    change(seen);
    const auto& record = inventory::record_of<T>();
    if (record.store(seen) != record.store(*known)) inventory.observe<T>(id, change);
}

}  // namespace hvagent::operations
