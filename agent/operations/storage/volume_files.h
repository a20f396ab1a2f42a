// Files of volumes: made, and removed without trace.
#pragma once
#include "agent/operations/services.h"

namespace hvagent::operations {

// Makes the file of a volume recorded with its storage and image (an overlay on the cached image, or an empty disk), and
// writes path, sizes and Ready into the record. A file that an earlier life of the job made is taken. Progress is of the
// image copy.
void make_volume_file(Services& services, const VolumeId& volume, const ProgressPercent& progress, Cancellation& cancel);
// Removes the volume's directory with all its layers; not there is a success.
void remove_volume_file(Services& services, const Volume& volume);
// Bytes on disk of all layers that belong to the volume: those of its snapshots too, not the cached image.
Bytes allocated_by(Services& services, const Volume& volume);
// Error(storage_allocate) when the storage cannot promise so much more to a thin volume.
void require_room(Services& services, const PrimaryStorageId& storage, Bytes growth, const std::string& what);
// What the storage has and what was promised, written into its record.
PrimaryStorage refresh_primary_storage(Services& services, const PrimaryStorageId& storage);
BackupStorage refresh_backup_storage(Services& services, const BackupStorageId& storage);

}  // namespace hvagent::operations
