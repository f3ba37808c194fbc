/* The bare subscriber that leat is measured against: paho, counting what it gets, nothing else.
 *
 *   paho_subscriber URL CLIENT-ID TOPIC COUNT
 *
 * Subscribes with QoS 1 in a session that the broker keeps, and ends when COUNT messages have come;
 * with 0 as soon as it is subscribed. Prints the seconds from the first message to the last.
 */
#include <MQTTAsync.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static sem_t done;
static long wanted, count;
static struct timespec first, last;

static int arrived(void* context, char* topic, int length, MQTTAsync_message* message) {
  (void)context;
  (void)length;
  if (count++ == 0) clock_gettime(CLOCK_MONOTONIC, &first);
  if (count == wanted) {
    clock_gettime(CLOCK_MONOTONIC, &last);
    sem_post(&done);
  }
  MQTTAsync_freeMessage(&message);
  MQTTAsync_free(topic);
  return 1;
}

static void failed(void* context, MQTTAsync_failureData* why) {
  (void)context;
  fprintf(stderr, "paho_subscriber: %s\n", why && why->message ? why->message : "failed");
  exit(1);
}

static void succeeded(void* context, MQTTAsync_successData* data) {
  (void)context;
  (void)data;
  sem_post(&done);
}

int main(int argc, char** argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: paho_subscriber URL CLIENT-ID TOPIC COUNT\n");
    return 2;
  }
  wanted = atol(argv[4]);
  sem_init(&done, 0, 0);
  MQTTAsync client;
  if (MQTTAsync_create(&client, argv[1], argv[2], MQTTCLIENT_PERSISTENCE_NONE, NULL) != 0) return 1;
  MQTTAsync_setCallbacks(client, NULL, NULL, arrived, NULL);
  MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer;
  connect.cleansession = 0;
  connect.onSuccess = succeeded;
  connect.onFailure = failed;
  if (MQTTAsync_connect(client, &connect) != 0) return 1;
  sem_wait(&done);
  if (wanted == 0) {
    MQTTAsync_responseOptions subscribe = MQTTAsync_responseOptions_initializer;
    subscribe.onSuccess = succeeded;
    subscribe.onFailure = failed;
    if (MQTTAsync_subscribe(client, argv[3], 1, &subscribe) != 0) return 1;
  }
  sem_wait(&done);
  MQTTAsync_disconnectOptions disconnect = MQTTAsync_disconnectOptions_initializer;
  disconnect.onSuccess = succeeded;
  disconnect.timeout = 1000;
  if (MQTTAsync_disconnect(client, &disconnect) == 0) sem_wait(&done);
  MQTTAsync_destroy(&client);
  printf("%.6f\n",
         (double)(last.tv_sec - first.tv_sec) + (double)(last.tv_nsec - first.tv_nsec) / 1e9);
  return 0;
}
