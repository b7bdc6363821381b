#include "causeway/tls/client_hello.h"

#include "causeway/tls/message_reader.h"
#include "causeway/tls/openssl.h"

namespace causeway::tls {
namespace {

constexpr std::uint16_t app_id_extension = 48018;
constexpr std::size_t random_size = 32;
constexpr std::size_t session_id_limit = 32;

/// The body of the one handshake message in the record that begins the datagram, if it is a whole
/// ClientHello in epoch 0.
//
//     record   type(1) version(2) epoch(2) sequence(6) length(2)
//     message  type(1) length(3) number(2) fragment offset(3) fragment length(3)
std::optional<ByteView> hello_body(ByteView datagram) {
    MessageReader reader(datagram);
    const auto type = reader.take_8();
    const auto version = reader.take_16();
    const auto epoch = reader.take_16();
    const auto sequence = reader.take(6);
    const auto record = reader.take_vector_16();
    if (!type || !version || !epoch || !sequence || !record) return std::nullopt;
    if (*type != SSL3_RT_HANDSHAKE || *epoch != 0 || (*version >> 8) != DTLS1_VERSION_MAJOR)
        return std::nullopt;
    MessageReader message(*record);
    const auto message_type = message.take_8();
    const auto size = message.take_24();
    const auto number = message.take_16();
    const auto offset = message.take_24();
    const auto fragment_size = message.take_24();
    if (!message_type || !size || !number || !offset || !fragment_size) return std::nullopt;
    if (*message_type != SSL3_MT_CLIENT_HELLO || *offset != 0 || *fragment_size != *size)
        return std::nullopt;
    return message.take(*size);
}

/// Extension 48018: the id with its length in front.
std::optional<ByteView> app_id_of(ByteView extensions) {
    const auto body = find_extension(extensions, app_id_extension);
    if (!body) return std::nullopt;
    MessageReader reader(*body);
    const auto id = reader.take_vector_8();
    return id && !id->empty() && reader.is_empty() ? id : std::nullopt;
}

}  // namespace

std::optional<ClientHelloParts> client_hello(ByteView datagram) {
    const auto body = hello_body(datagram);
    if (!body) return std::nullopt;
    MessageReader reader(*body);
    const auto version = reader.take_16();
    const auto random = reader.take(random_size);
    const auto session_id = reader.take_vector_8();
    const auto cookie = reader.take_vector_8();
    const auto suites = reader.take_vector_16();
    const auto compressions = reader.take_vector_8();
    if (!version || !random || !session_id || !cookie || !suites || !compressions)
        return std::nullopt;
    if (session_id->size() > session_id_limit) return std::nullopt;
    ClientHelloParts parts{
        .random = *random, .session_id = *session_id, .app_id = *session_id, .cookie = *cookie};
    if (reader.is_empty()) return parts;
    const auto extensions = reader.take_vector_16();
    if (!extensions || !reader.is_empty()) return std::nullopt;
    if (const auto id = app_id_of(*extensions)) parts.app_id = *id;
    return parts;
}

}  // namespace causeway::tls
