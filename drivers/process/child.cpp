#include "drivers/process/child.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#ifdef __SANITIZE_THREAD__
// ThreadSanitizer takes clone() for fork() and forbids threads from then on; under this name it does not know it.
extern "C" int __clone(int (*function)(void*), void* stack, int flags, void* argument, ...);
#define CLONE ::__clone
#else
#define CLONE ::clone
#endif

namespace hvagent {
namespace {

constexpr std::string_view search_path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t stack_size = 64 * 1024;

std::string find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) return name;
    const std::string directories(search_path.substr(search_path.find('/')));
    for (std::size_t begin = 0; begin < directories.size();) {
        const std::size_t end = std::min(directories.find(':', begin), directories.size());
        std::string path = directories.substr(begin, end - begin) + "/" + name;
        if (::access(path.c_str(), X_OK) == 0) return path;
        begin = end + 1;
    }
    throw Error(Code::no_capability, "the program " + name + " is not installed (looked in " + directories + ")");
}

struct Pipe {
    FileHandle read;
    FileHandle write;
};

// Above the standard streams, which the child overwrites.
FileHandle above_standard_streams(FileHandle file) {
    if (file.get() > STDERR_FILENO) return file;
    FileHandle higher(::fcntl(file.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!higher) throw file_error("cannot start a program", errno);
    return higher;
}

Pipe make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw file_error("cannot make a pipe", errno);
    Pipe pipe{FileHandle(ends[0]), FileHandle(ends[1])};
    pipe.read = above_standard_streams(std::move(pipe.read));
    pipe.write = above_standard_streams(std::move(pipe.write));
    // The child's end stays blocking.
    if (::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK) != 0) throw file_error("cannot make a pipe", errno);
    return pipe;
}

// All that the child needs, ready before it exists: it shares our memory until exec and must not allocate.
struct Plan {
    std::string program;
    std::vector<std::string> environment;
    std::vector<char*> argv;
    std::vector<char*> envp;
    const char* directory = nullptr;
    int input = -1;
    int output = -1;
    int errors = -1;
    rlim_t cpu_seconds = RLIM_INFINITY;
    rlim_t address_space = RLIM_INFINITY;
    pid_t parent = 0;
    int error = 0;                 // written by the child: errno of what failed
    const char* failed = nullptr;  // written by the child: what failed
};

void limit(int resource, rlim_t soft, rlim_t hard) {
    if (soft == RLIM_INFINITY) return;
    const struct rlimit both { soft, hard };
    ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

int fail(Plan& plan, const char* what) {
    plan.error = errno;
    plan.failed = what;
    // Not _exit(): sanitizers want memory there, which the limits may refuse by now.
    return static_cast<int>(::syscall(SYS_exit_group, 127));
}

// A handler of ours would run in the child, on our memory; an ignored signal (SIGPIPE) would stay ignored after exec.
// Straight to the kernel: sanitizers keep the books of sigaction() in the memory we share.
void reset_signals() {
    const std::array<unsigned long, 4> standard{};  // SIG_DFL, no flags, empty mask
    constexpr std::size_t mask_size = 8;
    for (int number = 1; number < NSIG; ++number) ::syscall(SYS_rt_sigaction, number, standard.data(), nullptr, mask_size);
}

// Runs in the child, on its own stack but in our memory, while our thread waits: system calls only.
int run_child(void* context) {
    Plan& plan = *static_cast<Plan*>(context);
    reset_signals();
    ::setpgid(0, 0);
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return fail(plan, "prctl");
    if (::getppid() != plan.parent) ::_exit(127);
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_CPU, plan.cpu_seconds, plan.cpu_seconds + 1);  // SIGXCPU, then SIGKILL
    limit(RLIMIT_AS, plan.address_space, plan.address_space);
    if (::chdir(plan.directory) != 0) return fail(plan, "chdir");
    if (::syscall(SYS_dup3, plan.input, STDIN_FILENO, 0) < 0) return fail(plan, "dup3");
    if (::syscall(SYS_dup3, plan.output, STDOUT_FILENO, 0) < 0) return fail(plan, "dup3");
    if (::syscall(SYS_dup3, plan.errors, STDERR_FILENO, 0) < 0) return fail(plan, "dup3");
    // For descriptors of libraries that forgot O_CLOEXEC. Kernels before 5.9 refuse.
    ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(plan.program.c_str(), plan.argv.data(), plan.envp.data());
    return fail(plan, "exec");
}

void fill_texts(Plan& plan, const Command& command) {
    if (command.argv.empty()) throw Error(Code::internal, "a command without a program");
    plan.program = find_program(command.argv.front());
    for (const std::string& argument : command.argv) {
        if (argument.find('\0') != std::string::npos) throw Error(Code::invalid_argument, "an argument holds a zero byte");
        plan.argv.push_back(const_cast<char*>(argument.c_str()));
    }
    plan.argv.push_back(nullptr);
    plan.environment.emplace_back(search_path);
    plan.environment.emplace_back("LC_ALL=C");
    for (const auto& [name, value] : command.environment) plan.environment.push_back(name + "=" + value);
    for (std::string& entry : plan.environment) plan.envp.push_back(entry.data());
    plan.envp.push_back(nullptr);
    plan.directory = command.working_directory.c_str();
    if (command.cpu_limit) plan.cpu_seconds = static_cast<rlim_t>(command.cpu_limit->count());
    if (command.address_space_limit) plan.address_space = static_cast<rlim_t>(*command.address_space_limit);
}

// Like vfork(), with a stack of its own: the pages of a large daemon are not copied, and no lock that another thread
// holds can matter to the child.
pid_t start(Plan& plan) {
    std::vector<char> stack(stack_size);
    // The stack grows down from an aligned address.
    auto top = reinterpret_cast<std::uintptr_t>(stack.data() + stack.size()) & ~std::uintptr_t{63};
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    plan.parent = ::getpid();
    const pid_t pid = CLONE(&run_child, reinterpret_cast<void*>(top), CLONE_VM | CLONE_VFORK | SIGCHLD, &plan);
    const int error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) throw file_error("cannot start " + plan.program, error);
    return pid;
}

}  // namespace

Child::Child(const Command& command) {
    Plan plan;
    fill_texts(plan, command);
    const FileHandle input = above_standard_streams(FileHandle(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
    Pipe output = make_pipe();
    Pipe errors = make_pipe();
    plan.input = input.get();
    plan.output = output.write.get();
    plan.errors = errors.write.get();
    pid_ = start(plan);
    if (plan.failed) {
        ::waitpid(pid_, &wait_status_, 0);
        throw Error(Code::no_capability,
                    "cannot run " + plan.program + " (" + plan.failed + "): " + std::generic_category().message(plan.error));
    }
    output_ = std::move(output.read);
    errors_ = std::move(errors.read);
    pidfd_ = FileHandle(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
}

Child::~Child() {
    if (reaped_) return;
    signal(SIGKILL);
    ::waitpid(pid_, &wait_status_, 0);
}

bool Child::has_ended() {
    if (reaped_) return true;
    const pid_t result = ::waitpid(pid_, &wait_status_, WNOHANG);
    reaped_ = result != 0;
    // Somebody else waits for all children, or SIGCHLD is ignored: how it ended will never be known.
    if (result < 0) throw Error(Code::internal, "a child process was reaped by somebody else");
    return reaped_;
}

void Child::signal(int number) {
    if (!reaped_) ::kill(-pid_, number);
}

}  // namespace hvagent
