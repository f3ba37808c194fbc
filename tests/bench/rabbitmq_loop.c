// What leat's AMQP is measured beside: a loop over librabbitmq, as its examples have it.
//
//   rabbitmq_loop PORT publish QUEUE WINDOW <lines     each line a persistent message, confirmed
//   rabbitmq_loop PORT consume QUEUE COUNT PREFETCH    acknowledged, many at once
//
// Prints the seconds from the first message to the last confirmation, or the last message.
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void check(int good, const char* what) {
  if (good) return;
  fprintf(stderr, "rabbitmq_loop: %s failed\n", what);
  exit(1);
}

static amqp_connection_state_t connect_to(int port) {
  amqp_connection_state_t connection = amqp_new_connection();
  amqp_socket_t* socket = amqp_tcp_socket_new(connection);
  check(amqp_socket_open(socket, "127.0.0.1", port) == 0, "connect");
  check(amqp_login(connection, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest")
                .reply_type == AMQP_RESPONSE_NORMAL,
        "login");
  amqp_channel_open(connection, 1);
  check(amqp_get_rpc_reply(connection).reply_type == AMQP_RESPONSE_NORMAL, "channel.open");
  return connection;
}

enum { kRing = 1 << 17 };  // more than any window
static char settled[kRing];

// Waits for confirmations until at most `most` of `sent` are missing. They may come out of order.
static void wait_confirms(amqp_connection_state_t connection, uint64_t sent, uint64_t* confirmed,
                          uint64_t most) {
  while (sent - *confirmed > most) {
    amqp_frame_t frame;
    check(amqp_simple_wait_frame(connection, &frame) == AMQP_STATUS_OK, "wait");
    if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
      continue;
    const amqp_basic_ack_t* ack = frame.payload.method.decoded;
    for (uint64_t tag = ack->multiple ? *confirmed + 1 : ack->delivery_tag;
         tag <= ack->delivery_tag; ++tag)
      settled[tag % kRing] = 1;
    while (settled[(*confirmed + 1) % kRing]) settled[++*confirmed % kRing] = 0;
    amqp_maybe_release_buffers(connection);
  }
}

static void publish(amqp_connection_state_t connection, const char* queue, uint64_t window) {
  amqp_confirm_select(connection, 1);
  check(amqp_get_rpc_reply(connection).reply_type == AMQP_RESPONSE_NORMAL, "confirm.select");
  amqp_basic_properties_t properties;
  memset(&properties, 0, sizeof properties);
  properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG;
  properties.content_type = amqp_cstring_bytes("application/json");
  properties.delivery_mode = 2;
  char* line = NULL;
  size_t room = 0;
  ssize_t size;
  uint64_t sent = 0, confirmed = 0;
  const double began = now();
  while ((size = getline(&line, &room, stdin)) > 0) {
    amqp_bytes_t body = {(size_t)size - 1, line};
    wait_confirms(connection, sent, &confirmed, window - 1);
    check(amqp_basic_publish(connection, 1, amqp_empty_bytes, amqp_cstring_bytes(queue), 1, 0,
                             &properties, body) == AMQP_STATUS_OK,
          "publish");
    ++sent;
  }
  wait_confirms(connection, sent, &confirmed, 0);
  printf("%.6f\n", now() - began);
}

static void consume(amqp_connection_state_t connection, const char* queue, uint64_t count,
                    uint16_t prefetch) {
  amqp_basic_qos(connection, 1, 0, prefetch, 0);
  amqp_basic_consume(connection, 1, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, 0, 0,
                     amqp_empty_table);
  check(amqp_get_rpc_reply(connection).reply_type == AMQP_RESPONSE_NORMAL, "consume");
  double began = 0;
  for (uint64_t got = 1; got <= count; ++got) {
    amqp_envelope_t envelope;
    amqp_maybe_release_buffers(connection);
    check(amqp_consume_message(connection, &envelope, NULL, 0).reply_type == AMQP_RESPONSE_NORMAL,
          "message");
    if (got == 1) began = now();
    if (got % (prefetch / 4) == 0 || got == count)
      amqp_basic_ack(connection, 1, envelope.delivery_tag, 1);
    amqp_destroy_envelope(&envelope);
  }
  printf("%.6f\n", now() - began);
}

int main(int count, char** arguments) {
  check(count >= 5, "usage");
  amqp_connection_state_t connection = connect_to(atoi(arguments[1]));
  if (strcmp(arguments[2], "publish") == 0)
    publish(connection, arguments[3], strtoull(arguments[4], NULL, 10));
  else
    consume(connection, arguments[3], strtoull(arguments[4], NULL, 10),
            (uint16_t)atoi(arguments[5]));
  amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(connection);
  return 0;
}
