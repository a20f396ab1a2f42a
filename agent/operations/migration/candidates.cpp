#include "agent/operations/migration/candidates.h"

#include <algorithm>
#include <future>

#include "agent/operations/migration/departure.h"
#include "agent/operations/migration/handlers.h"
#include "hvagent/error.h"

namespace hvagent::operations {

std::vector<Candidate> find_candidates(Services& services, const VmBundle& bundle) {
    std::vector<Candidate> candidates;
    for (const Host& host : services.inventory.list<Host>())
        if (host.uuid != services.host) candidates.push_back({host, {}});
    // A host that does not answer must not keep the others waiting.
    std::vector<std::future<std::vector<std::string>>> asked;
    for (const Candidate& one : candidates)
        asked.push_back(std::async(
            std::launch::async, [&services, &bundle, id = one.host.uuid] { return reasons_against(services, id, bundle); }));
    for (std::size_t i = 0; i < candidates.size(); ++i) candidates[i].reasons = asked[i].get();
    std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
        if (a.reasons.empty() != b.reasons.empty()) return a.reasons.empty();
        return a.host.available_memory > b.host.available_memory;
    });
    return candidates;
}

std::string shown_reasons(const std::vector<Candidate>& candidates) {
    std::string text;
    for (const Candidate& one : candidates) {
        text += (text.empty() ? "" : "; ") + one.host.name + ":";
        for (std::size_t i = 0; i < one.reasons.size(); ++i) text += (i > 0 ? ", " : " ") + one.reasons[i];
    }
    return text;
}

json get_migration_candidates(Services& services, const api::Call&, const MigrationQuestion& params) {
    VmBundle bundle = make_bundle(services, params.vm);
    const std::vector<std::string> obstacles = obstacles_to_leaving(services, bundle);
    std::vector<Candidate> candidates;
    {
        const StorageProbes probes(services, bundle);
        candidates = find_candidates(services, bundle);
    }
    json answer{{"inventories", json::array()}, {"unsuitable", json::array()}};
    for (Candidate& one : candidates) {
        one.reasons.insert(one.reasons.begin(), obstacles.begin(), obstacles.end());
        if (one.reasons.empty())
            answer["inventories"].push_back(services.inventory.view("Host", one.host.uuid.str()));
        else
            answer["unsuitable"].push_back(
                {{"hostUuid", one.host.uuid.str()}, {"hostName", one.host.name}, {"reasons", one.reasons}});
    }
    return answer;
}

}  // namespace hvagent::operations
