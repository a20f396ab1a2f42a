#include "agent/operations/storage/layout.h"

namespace hvagent::operations {
namespace {

std::string file_name(const Image& image) {
    return image.uuid.str() + "." + (image.format == "iso" ? "iso" : image.format);
}

}  // namespace

std::string volume_directory(const PrimaryStorage& storage, const Volume& volume) {
    const char* kind = volume.type == VolumeType::root ? "/rootVolumes" : "/dataVolumes";
    return storage.url + kind + "/acct-" + admin_account + "/vol-" + volume.uuid.str();
}

std::string volume_path(const PrimaryStorage& storage, const Volume& volume) {
    return volume_directory(storage, volume) + "/" + volume.uuid.str() + ".qcow2";
}

std::string cached_image_path(const PrimaryStorage& storage, const Image& image) {
    const char* kind = image.media_type == MediaType::iso ? "/imagecache/iso/" : "/imagecache/template/";
    return storage.url + kind + image.uuid.str() + "/" + file_name(image);
}

std::string stored_image_path(const BackupStorage& storage, const Image& image) {
    return storage.url + "/images/" + image.uuid.str() + "/" + file_name(image);
}

}  // namespace hvagent::operations
