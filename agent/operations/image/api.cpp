#include "agent/operations/image/api.h"

#include "agent/api/operation.h"
#include "agent/api/query_request.h"
#include "agent/operations/image/add_image.h"

namespace hvagent::operations {

using api::In;
using api::Method;
using api::Operation;

api::Table image_api(Services& services) {
    const auto query = [&services](const std::string& resource, const api::QueryRequest& request) {
        return services.inventory.query(resource, request);
    };
    return {
        Operation<AddImage>{"AddImage", Method::post, "/images", "Fetch an image into the image store"}
            .required(In::body, "name", &AddImage::name, "what people call it")
            .is_name()
            .optional(In::body, "description", &AddImage::description, "what it is for")
            .max_length(2048)
            .required(In::body, "url", &AddImage::url, "http://, https:// or file:///")
            .max_length(1024)
            .optional(In::body, "mediaType", &AddImage::media_type, "what can be made from it")
            .optional(In::body, "guestOsType", &AddImage::guest_os_type, "what runs inside")
            .max_length(255)
            .optional(In::body, "architecture", &AddImage::architecture, "of the guest")
            .values({"x86_64", "aarch64", "mips64el", "loongarch64"})
            .optional(In::body, "system", &AddImage::system, "true: no VM of a user is made from it")
            .optional(In::body, "format", &AddImage::format, "qcow2, raw or iso; required unless mediaType is ISO")
            .values({"qcow2", "raw", "iso"})
            .optional(In::body, "platform", &AddImage::platform, "of the guest")
            .values({"Linux", "Windows", "Other", "Paravirtualization", "WindowsVirtio"})
            .required(In::body, "backupStorageUuids", &AddImage::backup_storages, "where to store it")
            .not_empty()
            .optional(In::body, "type", &AddImage::type, "zstack")
            .values({"zstack"})
            .optional(In::body, "virtio", &AddImage::virtio, "false: VMs get emulated devices")
            .new_id(&AddImage::uuid)
            .takes_tags(&AddImage::tags)
            .refuses("tagUuids", "use userTags")
            .returns("inventory", "Image")
            .fails_as(Code::create_failed)
            .timeout(std::chrono::hours(72))
            .job_class(JobClass::copy)
            .runs_as_job(api::queue_of(&AddImage::uuid), with(services, add_image)),
        api::query_operation("QueryImage", "Image", "/images", "List images", query),
    };
}

}  // namespace hvagent::operations
