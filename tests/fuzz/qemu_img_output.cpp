// What qemu-img prints of images from outside. The first byte says which command it was.
#include "drivers/qemu_img/flatten_estimate.h"
#include "drivers/qemu_img/program_output.h"
#include "tests/fuzz/judge.h"

using namespace hvagent;

namespace {

void read_map(std::string_view text) {
    constexpr Bytes cluster = 2 * MiB;  // the largest: few tables, so that a wide extent takes no time
    constexpr Bytes allocated = 1 * GiB;
    FlattenCounter counter(cluster);
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        counter.add_line(text.substr(begin, end - begin));
        begin = end + 1;
    }
    const FlattenEstimate estimate = counter.estimate(allocated);
    if (estimate.bytes_to_copy < 0 || estimate.resulting_size < allocated) std::abort();
}

}  // namespace

// A reader that called it a bug of its own would be told so by the operator: here Error(internal) is the answer to nonsense.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text = text_of(data + 1, size - 1);
    switch (data[0]) {
        case 'i':
            judge([&] {
                if (read_printed_info(text).virtual_size < 0) std::abort();
            });
            break;
        case 's':
            judge([&] {
                if (read_printed_measure(text) < 0) std::abort();
            });
            break;
        case 'c':
            judge([&] {
                if (const auto check = read_printed_check(text);
                    check && (check->leaked_clusters < 0 || check->corruptions < 0))
                    std::abort();
            });
            break;
        case 'm': judge([&] { read_map(text); }); break;
        default:
            if (const auto percent = read_printed_percent(text); percent && (*percent < 0 || *percent > 100)) std::abort();
    }
    return 0;
}
