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
    return volume_directory(storage, volume) + "/" + volume.uuid.str() + (volume.format == "raw" ? ".raw" : ".qcow2");
}

std::vector<std::string> cache_directories(const PrimaryStorage& storage) {
    return {storage.url + "/imagecache/template", storage.url + "/imagecache/iso"};
}

std::string cached_image_path(const PrimaryStorage& storage, const Image& image) {
    const std::vector<std::string> kinds = cache_directories(storage);
    return (image.media_type == MediaType::iso ? kinds[1] : kinds[0]) + "/" + image.uuid.str() + "/" + file_name(image);
}

std::string stored_image_path(const BackupStorage& storage, const Image& image) {
    return storage.url + "/images/" + image.uuid.str() + "/" + file_name(image);
}

}  // namespace hvagent::operations
