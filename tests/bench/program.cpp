#include "tests/bench/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

extern char** environ;

namespace hvagent::bench {
namespace {

pid_t spawn_with(const std::vector<std::string>& command, posix_spawn_file_actions_t& actions) {
    std::vector<char*> argv;
    for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    pid_t pid = 0;
    const int error = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::runtime_error(command[0] + " cannot be run: " + std::strerror(error));
    return pid;
}

}  // namespace

pid_t spawn(const std::vector<std::string>& command, const std::string& output) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    return spawn_with(command, actions);
}

void run_program(const std::vector<std::string>& command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    const pid_t pid = spawn_with(command, actions);
    close(ends[1]);
    char buffer[65536];
    while (read(ends[0], buffer, sizeof buffer) > 0) {}
    close(ends[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    if (status == 0) return;
    std::string text;
    for (const std::string& word : command) text += word + " ";
    throw std::runtime_error(text + "ended with status " + std::to_string(status));
}

}  // namespace hvagent::bench
