#include "agent/http/transport/message.h"

namespace hvagent::http {
namespace {

std::string_view reason(int status) {
    switch (status) {
        case 200: return "OK";
        case 202: return "Accepted";
        case 206: return "Partial Content";
        case 400: return "Bad Request";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 413: return "Payload Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 416: return "Range Not Satisfiable";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        case 505: return "HTTP Version Not Supported";
    }
    return "Status";
}

}  // namespace

const std::string* Request::find_header(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (key == name) return &value;
    return nullptr;
}

std::string Request::header(std::string_view name) const {
    const std::string* value = find_header(name);
    return value ? *value : "";
}

std::string stream_head(const Response& head) {
    std::string out = "HTTP/1.1 " + std::to_string(head.status) + " " + std::string(reason(head.status));
    out += "\r\nContent-Type: " + head.content_type + "\r\nCache-Control: no-store\r\n";
    for (const auto& [name, value] : head.headers) out += name + ": " + value + "\r\n";
    return out + "Connection: close\r\n\r\n";
}

std::string to_wire(const Response& response, bool keep_alive, bool head_only) {
    std::string out;
    out.reserve(256 + (head_only ? 0 : response.body.size()));
    out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ").append(reason(response.status));
    out.append("\r\nContent-Type: ").append(response.content_type);
    out.append("\r\nContent-Length: ").append(std::to_string(response.body.size()));
    out.append("\r\nCache-Control: no-store\r\n");
    for (const auto& [name, value] : response.headers) out.append(name).append(": ").append(value).append("\r\n");
    out.append(keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
    if (!head_only) out.append(response.body);
    return out;
}

}  // namespace hvagent::http
