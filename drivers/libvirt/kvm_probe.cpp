#include "drivers/libvirt/kvm_probe.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>

namespace hvagent::libvirt {
namespace {

constexpr unsigned long guest_memory = 0x1000;
constexpr unsigned short result_port = 0x80;
// mov dx, 0x80; mov al, 20; add al, 22; out dx, al; hlt
constexpr unsigned char guest_code[] = {0xba, result_port, 0x00, 0xb0, 20, 0x04, 22, 0xee, 0xf4};
constexpr unsigned char expected_result = 42;

bool enter_real_mode(int cpu) {
    kvm_sregs segments{};
    if (ioctl(cpu, KVM_GET_SREGS, &segments) < 0) return false;
    segments.cs.base = 0;
    segments.cs.selector = 0;
    if (ioctl(cpu, KVM_SET_SREGS, &segments) < 0) return false;
    kvm_regs registers{};
    registers.rip = 0;
    registers.rflags = 2;  // the bit that is always set
    return ioctl(cpu, KVM_SET_REGS, &registers) == 0;
}

bool guest_computes(int cpu, const kvm_run* run) {
    if (ioctl(cpu, KVM_RUN, 0) < 0 || run->exit_reason != KVM_EXIT_IO || run->io.port != result_port) return false;
    const auto* base = reinterpret_cast<const unsigned char*>(run);
    return base[run->io.data_offset] == expected_result && ioctl(cpu, KVM_RUN, 0) == 0 && run->exit_reason == KVM_EXIT_HLT;
}

// QEMU gives each CPU the register IA32_ARCH_CAPABILITIES where KVM lists it, and ends when KVM then refuses it (seen on
// hosts that are guests themselves).
constexpr unsigned arch_capabilities = 0x10a;

// The kernel's own structs end in arrays without a size, which have another place, and give requests another number, in C++.
struct RegisterList {
    __u32 count;
    __u32 indices[1024];
};
struct OneRegister {
    __u32 count;
    __u32 padding;
    kvm_msr_entry entry;
};
constexpr unsigned long get_register_list = _IOWR(KVMIO, 0x02, __u32);
constexpr unsigned long get_registers = _IOWR(KVMIO, 0x88, __u64);
constexpr unsigned long set_registers = _IOW(KVMIO, 0x89, __u64);

bool lists_arch_capabilities(int kvm) {
    RegisterList list{};  // no heap: this is the child of a process with threads
    list.count = std::size(list.indices);
    if (ioctl(kvm, get_register_list, &list) < 0) return false;
    return std::count(list.indices, list.indices + list.count, arch_capabilities) > 0;
}

bool takes_its_own_registers(int kvm, int cpu) {
    if (!lists_arch_capabilities(kvm)) return true;
    OneRegister one{1, 0, {arch_capabilities, 0, 0}};
    if (ioctl(kvm, get_registers, &one) != 1) return true;  // its value is not known, so QEMU leaves it alone
    return ioctl(cpu, set_registers, &one) == 1;
}

// What the child ends with.
enum Step {
    done,
    no_device,
    other_version,
    no_vm,
    no_memory,
    no_cpu,
    no_run_area,
    no_real_mode,
    no_registers,
    wrong_result
};

std::string text_of(int step) {
    switch (step) {
        case no_device: return "/dev/kvm cannot be opened";
        case other_version: return "KVM speaks another version of its interface";
        case no_vm: return "KVM makes no VM";
        case no_memory: return "KVM takes no memory for a VM";
        case no_cpu: return "KVM makes no CPU";
        case no_run_area:
        case no_real_mode: return "KVM's CPU cannot be set up";
        case no_registers: return "KVM refuses a CPU register that it offers, which ends QEMU";
        default: return "a guest of a few instructions did not come to the right result";
    }
}

// In a process of its own, which is thrown away with all it opened.
Step run_guest() {
    const int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0) return no_device;
    if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) return other_version;
    const int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    if (vm < 0) return no_vm;
    void* memory = mmap(nullptr, guest_memory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return no_memory;
    std::memcpy(memory, guest_code, sizeof(guest_code));
    kvm_userspace_memory_region region{};
    region.memory_size = guest_memory;
    region.userspace_addr = reinterpret_cast<unsigned long>(memory);
    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0) return no_memory;
    const int cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    const int run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (cpu < 0 || run_size <= 0) return no_cpu;
    void* run = mmap(nullptr, static_cast<std::size_t>(run_size), PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
    if (run == MAP_FAILED) return no_run_area;
    if (!enter_real_mode(cpu)) return no_real_mode;
    if (!takes_its_own_registers(kvm, cpu)) return no_registers;
    return guest_computes(cpu, static_cast<const kvm_run*>(run)) ? done : wrong_result;
}

// Waits for the child's end without a signal handler; kills it when its time is over. Negative: it did not end.
int end_of(pid_t child, int patience_ms) {
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
    pollfd end{handle, POLLIN, 0};
    const bool ended = handle >= 0 && poll(&end, 1, patience_ms) == 1;
    if (!ended) kill(child, SIGKILL);
    if (handle >= 0) close(handle);
    int status = 0;
    if (waitpid(child, &status, 0) != child || !ended || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

}  // namespace

KvmTrial try_kvm(int patience_ms) {
    if (access("/dev/kvm", F_OK) != 0) return {false, "there is no /dev/kvm"};
    if (access("/dev/kvm", R_OK | W_OK) != 0) return {false, "/dev/kvm may not be used by this user"};
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(run_guest());
    }
    if (child < 0) return {false, "no process for the trial"};
    const int step = end_of(child, patience_ms);
    if (step == done) return {true, ""};
    return {false, step < 0 ? "a guest of a few instructions did not end" : text_of(step)};
}

}  // namespace hvagent::libvirt
