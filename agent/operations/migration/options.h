// How a VM is moved: the settings, overlaid by system tags of the VM, then of the request, then by its parameters.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "agent/config/settings.h"
#include "hvagent/drivers/vm_migration.h"

namespace hvagent::operations {

// When a move does not converge.
enum class WhenStuck { abort, pause, post_copy };

struct MigrationOptions {
    Bytes bandwidth = 0;  // per second, of all streams together; 0: no limit
    milliseconds max_downtime{500};
    bool auto_converge = true;
    WhenStuck when_stuck = WhenStuck::pause;
    seconds max_pause{20};
    seconds timeout_per_gib{300};
    int parallel_connections = 0;
    bool compressed = false;
    bool tls = true;
};

// What a request says outside its tags.
struct MigrationWishes {
    bool auto_converge = false;             // strategy "auto-converge"
    std::optional<milliseconds> down_time;  // the longest downtime
};

// Error(invalid_argument) for a tag of the request that is no migration tag, is malformed, or stands twice, and for options
// that exclude each other. Other tags of the VM are passed over.
MigrationOptions migration_options(const config::Settings& settings, const std::vector<std::string>& vm_tags,
                                   const std::vector<std::string>& request_tags, const MigrationWishes& wishes);

// "migration::bandwidth::<bytes per second>" and so on; what check_vm_tags() asks.
bool is_migration_tag(const std::string& tag);
std::string migration_tag_forms();

// "qemu+tls://10.0.0.2/system", by the option tls.
std::string libvirt_uri(const MigrationOptions& options, const std::string& address);
// Fills in what the options say; the first downtime is that of the judge.
void apply(const MigrationOptions& options, MigrationWay& way);

}  // namespace hvagent::operations
