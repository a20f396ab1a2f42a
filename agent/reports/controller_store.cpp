#include "agent/reports/controller_store.h"

#include <algorithm>

#include "hvagent/error.h"

namespace hvagent::reports {

void ControllerStore::open() {
    log_.database().write(Durability::flushed, [](SqlSession& session) {
        session.run(
            "CREATE TABLE IF NOT EXISTS controllers (uuid TEXT PRIMARY KEY, url TEXT NOT NULL UNIQUE, token TEXT NOT NULL, "
            "dialect TEXT NOT NULL, wants_jobs INTEGER NOT NULL, configured INTEGER NOT NULL, confirmed INTEGER NOT NULL)");
    });
}

std::vector<Controller> ControllerStore::list() const {
    std::vector<Controller> found;
    log_.database().read([&](SqlSession& session) {
        session.each("SELECT uuid, url, token, dialect, wants_jobs, configured, confirmed FROM controllers ORDER BY rowid",
                     {}, [&](const SqlRow& row) {
                         found.push_back({row.text(0), row.text(1), row.text(2), row.text(3), row.integer(4) != 0,
                                          row.integer(5) != 0, row.integer(6)});
                     });
    });
    return found;
}

Controller ControllerStore::put(Controller controller) {
    log_.database().write(Durability::flushed, [&](SqlSession& session) {
        controller.uuid = make_uuid();
        controller.confirmed = log_.newest(session);
        session.each("SELECT uuid, confirmed FROM controllers WHERE url = ?", {controller.url}, [&](const SqlRow& row) {
            controller.uuid = row.text(0);
            controller.confirmed = row.integer(1);
        });
        session.run(
            "INSERT OR REPLACE INTO controllers (uuid, url, token, dialect, wants_jobs, configured, confirmed) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            {controller.uuid, controller.url, controller.token, controller.dialect, std::int64_t(controller.wants_jobs),
             std::int64_t(controller.is_configured), controller.confirmed});
    });
    return controller;
}

void ControllerStore::remove(const std::string& uuid) {
    log_.database().write(Durability::flushed,
                          [&](SqlSession& session) { session.run("DELETE FROM controllers WHERE uuid = ?", {uuid}); });
}

void ControllerStore::confirm(const std::string& uuid, std::int64_t position) {
    log_.database().write(Durability::lazy, [&](SqlSession& session) {
        session.run("UPDATE controllers SET confirmed = ? WHERE uuid = ?", {position, uuid});
    });
}

void check_controller(const Controller& controller) {
    const auto refuse = [](const std::string& why) { throw Error(Code::invalid_argument, why); };
    const std::size_t host = controller.url.find("://") == std::string::npos ? 0 : controller.url.find("://") + 3;
    if (!controller.url.starts_with("http://") && !controller.url.starts_with("https://"))
        refuse("the 'url' of a controller must begin with http:// or https://");
    const std::string authority = controller.url.substr(host, controller.url.find_first_of("/?#", host) - host);
    if (authority.empty() || controller.url.size() > 2000) refuse("the 'url' of a controller must name a host");
    if (authority.find('@') != std::string::npos)
        refuse("the 'url' of a controller must not hold a user or password; give a 'token'");
    const auto is_control = [](unsigned char c) { return c <= 0x20 || c == 0x7f; };
    if (std::any_of(controller.url.begin(), controller.url.end(), is_control))
        refuse("the 'url' of a controller must not hold spaces or control characters");
    if (std::any_of(controller.token.begin(), controller.token.end(), is_control))
        refuse("the 'token' of a controller must not hold spaces or control characters");
    if (controller.dialect != "hvagent" && controller.dialect != "zstack")
        refuse("the 'dialect' of a controller must be hvagent or zstack, but is \"" + controller.dialect.substr(0, 40) +
               "\"");
}

}  // namespace hvagent::reports
