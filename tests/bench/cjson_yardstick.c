/* The yardstick: cJSON_ParseWithLength over every line of a file, and nothing else. The file is
 * read in large blocks, so that reading costs as little as it can. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kBlock = 1 << 20 };

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: cjson_yardstick FILE\n");
    return 2;
  }
  FILE* file = fopen(argv[1], "rb");
  if (file == NULL) {
    perror(argv[1]);
    return 1;
  }
  setvbuf(file, NULL, _IONBF, 0);
  char* buffer = malloc(kBlock);
  size_t held = 0, got;
  long parsed = 0, bad = 0;
  while ((got = fread(buffer + held, 1, kBlock - held, file)) > 0) {
    held += got;
    char* line = buffer;
    char* end;
    while ((end = memchr(line, '\n', held - (size_t)(line - buffer))) != NULL) {
      cJSON* value = cJSON_ParseWithLength(line, (size_t)(end - line));
      if (value == NULL) ++bad;
      cJSON_Delete(value);
      ++parsed;
      line = end + 1;
    }
    held -= (size_t)(line - buffer);
    memmove(buffer, line, held);
  }
  fprintf(stderr, "%ld lines, %ld bad\n", parsed, bad);
  free(buffer);
  fclose(file);
  return bad == 0 ? 0 : 1;
}
