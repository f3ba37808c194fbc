/* Publishes messages at a steady pace, each with the time at which it was given away.
 *
 *   paho_publisher URL TOPIC RATE COUNT
 *
 * QoS 1, COUNT messages, RATE a second; 0: as fast as the broker acknowledges them. Each is a JSON
 * object of 146 bytes whose `t` is CLOCK_MONOTONIC in nanoseconds, at the moment of the publishing.
 * Ends when the broker has acknowledged all of them.
 */
#include <MQTTAsync.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kInFlight = 1000 };

static sem_t done, room;

static void failed(void* context, MQTTAsync_failureData* why) {
  (void)context;
  fprintf(stderr, "paho_publisher: %s\n", why && why->message ? why->message : "failed");
  exit(1);
}

static void connected(void* context, MQTTAsync_successData* data) {
  (void)context;
  (void)data;
  sem_post(&done);
}

static void acknowledged(void* context, MQTTAsync_successData* data) {
  (void)context;
  (void)data;
  sem_post(&room);
}

static long long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void sleep_until(long long ns) {
  struct timespec until = {ns / 1000000000LL, ns % 1000000000LL};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

int main(int argc, char** argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: paho_publisher URL TOPIC RATE COUNT\n");
    return 2;
  }
  const long rate = atol(argv[3]), count = atol(argv[4]);
  sem_init(&done, 0, 0);
  sem_init(&room, 0, kInFlight);
  MQTTAsync client;
  if (MQTTAsync_create(&client, argv[1], "publisher", MQTTCLIENT_PERSISTENCE_NONE, NULL) != 0)
    return 1;
  MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer;
  connect.cleansession = 1;
  connect.maxInflight = kInFlight;
  connect.onSuccess = connected;
  connect.onFailure = failed;
  if (MQTTAsync_connect(client, &connect) != 0) return 1;
  sem_wait(&done);
  const long long begin = now_ns();
  for (long n = 0; n < count; ++n) {
    if (rate > 0) sleep_until(begin + n * 1000000000LL / rate);
    sem_wait(&room);
    char text[160];
    int size = snprintf(
        text, sizeof text,
        "{\"t\":%lld,\"n\":%ld,\"device\":\"gw-001/plc-3\",\"state\":\"run\",\"temp\":41.25,"
        "\"vib\":0.125,\"note\":\"",
        now_ns(), n);
    while (size < 144) text[size++] = '.';
    text[size++] = '"';
    text[size++] = '}';
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.onSuccess = acknowledged;
    options.onFailure = failed;
    if (MQTTAsync_send(client, argv[2], size, text, 1, 0, &options) != 0) return 1;
  }
  for (int i = 0; i < kInFlight; ++i) sem_wait(&room);
  MQTTAsync_disconnectOptions disconnect = MQTTAsync_disconnectOptions_initializer;
  disconnect.onSuccess = connected;
  disconnect.timeout = 1000;
  if (MQTTAsync_disconnect(client, &disconnect) == 0) sem_wait(&done);
  MQTTAsync_destroy(&client);
  return 0;
}
