// hvctl: the command line of hvagentd.
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>

#include "agent/cli/catalog.h"
#include "agent/cli/client.h"
#include "agent/cli/command_line.h"
#include "agent/cli/complete.h"
#include "agent/cli/doctor.h"
#include "agent/cli/session_file.h"
#include "agent/cli/table.h"
#include "agent/cli/top.h"
#include "agent/cli/watch.h"

namespace {

using namespace hvagent::cli;

enum Exit { done = 0, refused = 1, usage = 2, unreachable = 3 };

struct Options {
    std::string url;
    std::string ca_file;
    std::string account = "admin";
    std::string password_file;
    bool as_json = false;
    bool no_wait = false;
    bool once = false;
    std::string config_file = "/etc/hvagent/hvagentd.toml";
    std::vector<std::string> words;
};

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::string ask_password() {
    termios before{};
    const bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    if (is_terminal) {
        std::cerr << "Password: " << std::flush;
        termios silent = before;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    std::string password;
    std::getline(std::cin, password);
    if (is_terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        std::cerr << "\n";
    }
    return password;
}

std::string find_password(const Options& options) {
    if (!options.password_file.empty()) {
        std::ifstream file(options.password_file);
        std::string password;
        if (!std::getline(file, password)) throw std::runtime_error("no password can be read from " + options.password_file);
        return password;
    }
    const std::string password = environment("HVCTL_PASSWORD");
    return password.empty() ? ask_password() : password;
}

StoredSession choose_session(const Options& options) {
    StoredSession session = load_session().value_or(StoredSession{});
    const std::string url = !options.url.empty() ? options.url : environment("HVCTL_URL");
    if (!url.empty() && url != session.url) session = {url, "", ""};
    if (session.url.empty()) session.url = "http://127.0.0.1:8080";
    if (!options.ca_file.empty()) session.ca_file = options.ca_file;
    if (const std::string given = environment("HVCTL_SESSION"); !given.empty()) session.session = given;
    return session;
}

std::size_t terminal_width() {
    winsize size{};
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// One line on a terminal that is written over; nothing elsewhere.
class ProgressLine {
public:
    explicit ProgressLine(std::string operation) : operation_(std::move(operation)), shown_(isatty(STDERR_FILENO) != 0) {}
    ~ProgressLine() {
        if (shown_ && used_) std::cerr << "\r\033[K" << std::flush;
    }
    void operator()(int percent, const std::string& what) {
        if (!shown_) return;
        used_ = true;
        std::cerr << "\r\033[K" << operation_ << " " << percent << "% " << what << std::flush;
    }

private:
    std::string operation_;
    bool shown_;
    bool used_ = false;
};

std::vector<std::string> fields_asked(const std::vector<std::string>& words) {
    std::vector<std::string> fields;
    for (const std::string& word : words) {
        if (!word.starts_with("fields=")) continue;
        std::stringstream list(word.substr(7));
        for (std::string field; std::getline(list, field, ',');) fields.push_back(field);
    }
    return fields;
}

void print_answer(const Options& options, const json& answer) {
    if (options.as_json) {
        std::cout << answer.dump(2) << "\n";
    } else if (answer.contains("inventories")) {
        print_table(std::cout, answer["inventories"], fields_asked(options.words), terminal_width());
        if (answer.contains("total")) std::cout << "total: " << answer["total"] << "\n";
    } else if (answer.contains("findings")) {
        print_table(std::cout, answer["findings"], {"kind", "path", "details"}, terminal_width());
        std::cout << answer["findings"].size() << " findings\n";
        for (const json& one : answer.value("notJudged", json::array()))
            std::cout << one["files"] << " files below " << one["path"].get<std::string>() << ": "
                      << one["details"].get<std::string>() << "\n";
    } else {
        json shown = answer;
        shown.erase("schema");
        const json inventory = shown.value("inventory", json());
        shown.erase("inventory");
        if (inventory.is_object()) print_record(std::cout, inventory);
        print_record(std::cout, shown);
    }
}

int help_operation(const CliCatalog& catalog, const std::string& name) {
    const CliOperation* operation = catalog.find(name);
    if (!operation) throw std::runtime_error("there is no operation " + name + "; `hvctl list` shows them");
    std::cout << operation->name << ": " << operation->summary << "\n"
              << operation->method << " " << operation->path << "\n\n";
    for (const CliParam& param : operation->params) {
        std::cout << "  " << param.name << (param.required ? " (required)" : "") << "  " << param.type();
        std::string values;
        for (const std::string& value : param.enum_values()) values += (values.empty() ? "" : "|") + value;
        if (!values.empty() && param.type() != "boolean") std::cout << " " << values;
        std::cout << "\n      " << param.doc << "\n";
    }
    if (!operation->query_resource.empty()) {
        std::cout << "\nFields for conditions, sort and fields:\n ";
        for (const std::string& field : catalog.query_fields(operation->query_resource, "")) std::cout << " " << field;
        std::cout << "\n";
    }
    return done;
}

int log_in(const Options& options) {
    StoredSession session = choose_session(options);
    Client client(session.url, "", session.ca_file);
    session.session = client.login(options.account, find_password(options));
    save_session(session);
    std::cout << "logged in to " << session.url << " as " << options.account << "\n";
    return done;
}

int log_out() {
    if (const auto session = load_session()) {
        Client client(session->url, session->session, session->ca_file);
        client.call({"DELETE", "/accounts/sessions/" + session->session, json()}, true, [](int, const std::string&) {});
    }
    forget_session();
    return done;
}

int run_operation(const CliCatalog& catalog, const Options& options) {
    const CliOperation* operation = catalog.find(options.words.front());
    if (!operation) throw std::runtime_error("there is no operation " + options.words.front() + "; `hvctl list` shows them");
    const HttpRequest request = make_request(*operation, {options.words.begin() + 1, options.words.end()});
    const StoredSession session = choose_session(options);
    Client client(session.url, session.session, session.ca_file);
    if (session.session.empty() && !environment("HVCTL_PASSWORD").empty())
        client.login(options.account, environment("HVCTL_PASSWORD"));
    json answer;
    {
        ProgressLine progress(operation->name);
        answer =
            client.call(request, !options.no_wait, [&](int percent, const std::string& what) { progress(percent, what); });
    }
    print_answer(options, answer);
    return answer.contains("findings") && !answer["findings"].empty() ? refused : done;
}

// `hvctl storage check [deep]`, for those who look for trouble at night.
int check_storage(const CliCatalog& catalog, Options options) {
    const bool deep = options.words.size() == 3 && options.words[2] == "deep";
    if (options.words.size() < 2 || options.words[1] != "check" || (options.words.size() > 2 && !deep))
        throw std::runtime_error("hvctl storage knows: check, check deep");
    options.words = {"CheckStorage", std::string("deep=") + (deep ? "true" : "false")};
    return run_operation(catalog, options);
}

Client connect(const Options& options) {
    const StoredSession session = choose_session(options);
    Client client(session.url, session.session, session.ca_file);
    if (session.session.empty() && !environment("HVCTL_PASSWORD").empty())
        client.login(options.account, environment("HVCTL_PASSWORD"));
    return client;
}

// Until it is interrupted, or once.
int show_top(const Options& options) {
    constexpr std::chrono::milliseconds between_looks{500};
    Client client = connect(options);
    const bool is_terminal = isatty(STDOUT_FILENO) != 0 && !options.as_json && !options.once;
    TopRates rates;
    for (json shown; std::cout; std::this_thread::sleep_for(between_looks)) {
        const json rows = rates.rows(client.get_own("figures"));
        if (!rates.has_rates() || rows == shown) continue;
        shown = rows;
        if (is_terminal) std::cout << "\033[H\033[J";
        if (options.as_json)
            std::cout << json{{"vms", rows}}.dump() << "\n";
        else
            print_table(
                std::cout, shown_rows(rows),
                {"vm", "uuid", "state", "vcpus", "cpu%", "memory", "resident", "read", "written", "received", "sent"},
                terminal_width());
        std::cout << std::flush;
        if (options.once) return done;
    }
    return done;
}

// What the agent knows: itself, and what a look at the storages finds.
void ask_agent(const Options& options, const hvagent::config::Settings& settings, Findings& findings) {
    try {
        Client client = connect(options);
        findings.add_all(client.get_own("doctor").at("findings"));
        const json check =
            client.call({"POST", "/storage-checks", {{"params", json::object()}}}, true, [](int, const std::string&) {});
        for (const json& one : check.at("findings"))
            findings.add("warning", one.value("kind", "leftover"), one.value("details", ""), one.value("path", ""));
    } catch (const ApiFailure& failure) {
        findings.add("error", "AgentRefuses", std::string(failure.what()) + "; `hvctl login` first");
    } catch (const ConnectionFailure& failure) {
        findings.add("error", "AgentDown", failure.what());
        examine_port(settings.http_listen, findings);
    }
}

// On the host itself. Exit code 1 when something is wrong.
int examine(const Options& options) {
    Findings findings;
    const hvagent::config::Settings settings = examine_settings(options.config_file, findings);
    examine_host(settings, findings);
    ask_agent(options, settings, findings);
    if (options.as_json)
        std::cout << json{{"findings", findings.list()}}.dump(2) << "\n";
    else if (findings.list().empty())
        std::cout << "nothing is wrong\n";
    else
        print_table(std::cout, findings.list(), {"severity", "kind", "path", "details"}, terminal_width());
    return findings.is_wrong() ? refused : done;
}

// Until it is interrupted; takes up where it was when the agent was away.
int watch(const Options& options) {
    Client client = connect(options);
    EventReader reader;
    EventPrinter printer;
    const auto show = [&](std::string_view piece) {
        for (const EventReader::Event& event : reader.feed(piece)) {
            if (options.as_json && event.kind != "end") std::cout << event.data << "\n";
            if (!options.as_json)
                for (const std::string& line : printer.lines(event)) std::cout << line << "\n";
        }
        std::cout << std::flush;
        return static_cast<bool>(std::cout);
    };
    for (bool was_connected = false; std::cout; was_connected = true) {
        reader.begin();
        try {
            client.follow_events(reader.last_id(), show);
        } catch (const ConnectionFailure&) {
            if (!was_connected) throw;
        }
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
    return done;
}

int run(const Options& options) {
    const CliCatalog catalog(embedded_catalog());
    const std::string& command = options.words.front();
    if (command == "login") return log_in(options);
    if (command == "logout") return log_out();
    if (command == "list") {
        for (const CliOperation& operation : catalog.operations())
            std::cout << operation.name << std::string(operation.name.size() < 44 ? 44 - operation.name.size() : 1, ' ')
                      << operation.summary << "\n";
        return done;
    }
    if (command == "help" && options.words.size() == 2) return help_operation(catalog, options.words[1]);
    if (command == "completion") {
        std::cout << bash_completion_script();
        return done;
    }
    if (command == "watch" && options.words.size() == 1) return watch(options);
    if (command == "top" && options.words.size() == 1) return show_top(options);
    if (command == "doctor" && options.words.size() == 1) return examine(options);
    if (command == "storage") return check_storage(catalog, options);
    return run_operation(catalog, options);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::string(argv[1]) == "__complete") {
        for (const std::string& word : complete(CliCatalog(embedded_catalog()), {argv + 2, argv + argc}))
            std::cout << word << "\n";
        return done;
    }
    Options options;
    CLI::App app{
        "hvctl: the command line of hvagentd\n\n"
        "  hvctl login --url http://HOST:8080       store a session\n"
        "  hvctl list                               all operations\n"
        "  hvctl help OPERATION                     its parameters\n"
        "  hvctl OPERATION key=value...             run it, wait for its job\n"
        "  hvctl QueryX condition... key=value...   name~=web-% state=Running sort=-createDate\n"
        "  hvctl storage check [deep]               orphans, missing files, wrong chains; exit code 1 when there are any\n"
        "  hvctl watch                              what happens on the host, as it happens\n"
        "  hvctl top [--once]                       what VMs use: CPU, memory, disks, networks\n"
        "  hvctl doctor                             what is wrong with this host; exit code 1 when something is\n"
        "  source <(hvctl completion bash)\n"};
    app.add_option("--url", options.url, "the agent; default: $HVCTL_URL, the last login, http://127.0.0.1:8080");
    app.add_option("--ca", options.ca_file, "PEM authorities for https");
    app.add_option("--account", options.account, "account for login");
    app.add_option("--password-file", options.password_file,
                   "first line is the password; default: $HVCTL_PASSWORD, else asked");
    app.add_flag("--json", options.as_json, "print the answer as JSON");
    app.add_flag("--no-wait", options.no_wait, "print the job's address instead of waiting");
    app.add_flag("--once", options.once, "of top: one table, for scripts");
    app.add_option("--config", options.config_file, "of doctor: the agent's configuration")->capture_default_str();
    app.set_version_flag("--version", HVAGENT_VERSION);
    app.add_option("words", options.words, "command or operation, and its parameters")->required();
    app.positionals_at_end(false);
    CLI11_PARSE(app, argc, argv);
    try {
        return run(options);
    } catch (const ApiFailure& failure) {
        if (options.as_json && !failure.error.is_null())
            std::cout << json{{"error", failure.error}}.dump(2) << "\n";
        else
            std::cerr << "hvctl: " << failure.what() << "\n";
        return refused;
    } catch (const ConnectionFailure& failure) {
        std::cerr << "hvctl: " << failure.what() << "\n";
        return unreachable;
    } catch (const std::exception& failure) {
        std::cerr << "hvctl: " << failure.what() << "\n";
        return usage;
    }
}
