// Field tables [AMQP §4.2.5.5], with the types as RabbitMQ has them: into JSON, and whether a table
// that has come may be given to librabbitmq's decoder.
//
// Pure.
#pragma once

#include <amqp.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat::amqp {

// Of a table within a table, and so on: the decoder calls itself for each, and a peer must not
// choose how much stack that takes.
inline constexpr size_t kDeepestTable = 32;

// True when `encoded` begins with a whole table that is not nested deeper.
bool is_shallow_table(std::string_view encoded);
// The same for the headers, where there are some, in the properties of a message.
bool has_shallow_headers(std::string_view properties);
// The whole number (a long) that is called so among the headers of a message, however deep others
// are nested: what is not looked for is passed by its length.
std::optional<int64_t> number_in_headers(std::string_view properties, std::string_view name);

// Of a timestamp, which is in seconds [AMQP §4.2.5.4]; nothing when no calendar has it.
std::optional<int64_t> unix_us_of(uint64_t timestamp);

// As a JSON object. Times are RFC 3339, byte arrays base64, decimals numbers; a name that stands
// twice in the table does in the object.
void append_json(std::string& out, const amqp_table_t& table);
void append_json(std::string& out, const amqp_field_value_t& value);

}  // namespace leat::amqp
