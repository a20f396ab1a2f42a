// A volume of a stopped VM goes on in another file.
#pragma once
#include <functional>
#include <string>

#include "agent/operations/services.h"
#include "hvagent/job.h"

namespace hvagent::operations {

// `make` makes the new active layer under the path it is given, whole or not at all. Then the record says so, the volume
// leaves its snapshot tree, and the old active layer goes: no snapshot ever needs it. After an error everything is as it
// was.
void replace_layer(Services& services, Job& job, const Volume& volume,
                   const std::function<void(const std::string& path)>& make);
// What an earlier life of the job left to do: the old layer goes when the record has the new one, else the new one goes.
// True when the volume has its new layer already.
bool finish_replacing(Services& services, Job& job, const VolumeId& volume);

}  // namespace hvagent::operations
