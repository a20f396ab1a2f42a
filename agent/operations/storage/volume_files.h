// Files of volumes: made, and removed without trace.
#pragma once
#include "agent/operations/services.h"

namespace hvagent::operations {

// Makes the file of a volume recorded with its storage and image (an overlay on the cached image, or an empty disk), and
// writes path, sizes and Ready into the record. A file that an earlier life of the job made is taken. Progress is of the
// image copy.
void make_volume_file(Services& services, const VolumeId& volume, const ProgressPercent& progress, Cancellation& cancel);
// Removes the volume's directory; not there is a success.
void remove_volume_file(Services& services, const Volume& volume);
// What the storage has and what was promised, written into its record.
PrimaryStorage refresh_primary_storage(Services& services, const PrimaryStorageId& storage);
BackupStorage refresh_backup_storage(Services& services, const BackupStorageId& storage);

}  // namespace hvagent::operations
