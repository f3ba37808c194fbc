// Stands in for what librabbitmq's codec refers to in its other half: the client with its sockets
// and its OpenSSL, which would be linked whole for one function that nobody calls and three empty
// values.
//
// Of librabbitmq 0.11: amqp_framing.o has the codec and, beside it, a function for each method that
// sends it and waits (amqp_queue_declare, …), all through amqp_simple_rpc_decoded().
#include <amqp.h>
#include <amqp_framing.h>

#include <cstdlib>

extern "C" {

extern const amqp_bytes_t amqp_empty_bytes;
extern const amqp_table_t amqp_empty_table;
extern const amqp_array_t amqp_empty_array;
const amqp_bytes_t amqp_empty_bytes = {0, nullptr};
const amqp_table_t amqp_empty_table = {0, nullptr};
const amqp_array_t amqp_empty_array = {0, nullptr};

void* amqp_simple_rpc_decoded(amqp_connection_state_t, amqp_channel_t, amqp_method_number_t,
                              amqp_method_number_t, void*) {
  std::abort();  // only the functions that send and wait call it, and nothing calls those
}
}
