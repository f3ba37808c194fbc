// Runs a fuzz entry without a fuzzer: over the files named on the command line (a crash to look
// into), or over a random corpus that is the same each time.
//
// With clang, leave this file out and build the entry with -fsanitize=fuzzer,address instead.
#include <fstream>
#include <iterator>
#include <random>

#include "fuzz_support.h"

using namespace std::string_view_literals;

namespace {

constexpr int kInputs = 20'000;

// Pieces that mean something to the formats, so that random input gets past the first byte.
constexpr std::string_view kPieces[] = {"{",
                                        "}",
                                        "[",
                                        "]",
                                        ",",
                                        ":",
                                        "\"",
                                        "\"\"",
                                        "\n",
                                        "\r\n",
                                        " ",
                                        "\\",
                                        "\\n",
                                        "\\u00e9",
                                        "\\ud83d",
                                        "#",
                                        "a",
                                        "b",
                                        "\"a\"",
                                        "\"b\":",
                                        "{\"a\":",
                                        ",\"b\":",
                                        "1",
                                        "-0",
                                        "0.5",
                                        "1e5",
                                        "99999999999999999999",
                                        "true",
                                        "false",
                                        "null",
                                        "\xC3\xA9",
                                        "\xFF",
                                        "\t",
                                        "a,b\n",
                                        "{\"a\":1,\"b\":\"x\"}\n",
                                        "x,\"y\"\n",
                                        ";",
                                        "12345678",
                                        "abcdefgh",
                                        "<a>",
                                        "</a>",
                                        "<r>",
                                        "</r>",
                                        "<x/>",
                                        "<!--",
                                        "-->",
                                        "<?xml ?>",
                                        "<![CDATA[",
                                        "]]>",
                                        "&lt;",
                                        "='"};

// Good documents of all formats. The first two bytes are the choices of decode_csv.cpp.
constexpr std::string_view kSeeds[] = {
    "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n{\"b\":null}\n",
    "{ \"a\": [1,\n {\"b\": [true, null]} ],\n \"c\": {} }",
    "[{\"a\":-0.5e-7},\n{\"a\":\"\\u00e9\\n\",\"b\":[[],{}]}]\n",
    "{\"a\": 1, \"b\": \"long enough for a word or two\", \"a\": 2}\r\n",
    "\001\200a,b,c\n1,\"x, \"\"y\"\"\",true\n\"two\nlines\",,5\" pipe\n",
    "\005\140#comment \"\na;b,b\r\n\"q\",\"\"\r\n1,\"open\n2,3\n",
    "\040\240007,+1.50,1760000000005,TRUE,.5\n1,2,3,0,nan,x\n",
    "\041\160i,d,t,b,f\n\"1\",\"2\n3\",4,f,1e5\na\"b,\"x\ny\"\n",
    "\002\200<?xml version='1.0'?><r><a b='1'>x</a> <c><a/></c>\n<a><x>1</x><x/></a></r>"sv,
    "\023\100<n:r xmlns:n='u'><b><a n:k=\"&lt;\"><![CDATA[<a>]]></a></b></n:r><a>"sv,
    // MQTT behind the two bytes of mqtt_packets.cpp: CONNACK and PUBLISH of 3.1.1 and of 5, with
    // properties; acknowledgements; a packet that is too large; filters.
    "\000\003\x20\x02\x01\x00\x32\x0A\x00\x03p/1\x00\x07{1}\x90\x03\x00\x01\x01"sv,
    "\001\005\x20\x09\x00\x00\x06\x21\x00\x14\x22\x00\x00\x3D\x12\x00\x03p/1\x00\x09\x07"
    "\x26\x00\x01k\x00\x01v42"sv,
    "\001\x11\x40\x02\x00\x05\x62\x03\x00\x06\x92\xD0\x00\xE0\x01\x8E\x30\x81\x01\x00\x01t"sv,
    "\000\x0Aplant/{a}/plant/x$share/g/+/#"sv,
    // PostgreSQL behind the two bytes of postgres_messages.cpp: a start with SCRAM, an error in a
    // COPY, rows of the catalog.
    "\000\003R\0\0\0\x17\0\0\0\x0ASCRAM-SHA-256\0\0R\0\0\0\x1A\0\0\0\x0Br=x,s=c2FsdA==,i=1"
    "R\0\0\0\x08\0\0\0\0Z\0\0\0\005I"sv,
    "\000\005E\0\0\0\x2BVERROR\0C23505\0Mno\0WCOPY t, line 7\0nk\0\0Z\0\0\0\005E"sv,
    "\000\007D\0\0\0\x18\0\3\0\0\0\1I\0\0\0\0031 2\xff\xff\xff\xff"
    "C\0\0\0\x0DSELECT 1\0G\0\0\0\x09\1\0\1\0\1"sv,
    // HTTP behind the two bytes of http_requests.cpp.
    "\000\002GET /api/v1/status?pipeline=a%20b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
    "12\r\n\r\n"
    "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"sv,
    "\000\005PUT /a%2Fb/../c%2e%2e/./d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nabc\r\n0\r\nX: y\r\n\r\n"sv,
    // Signed messages behind the two bytes of signed_messages.cpp: whole ones, a header, a payload.
    "\000\005eyJhbGciOiJIUzI1NiIsImtpZCI6ImEifQ.e30.AAAA"sv,
    "\000\005{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"fleet\",\"crit\":[\"b64\"]}"sv,
    "\000\040{\"aud\":\"gw\",\"jti\":\"a-1\",\"counter\":1,\"exp\":2,\"command\":\"ping\"}"sv,
};

void mutate(std::string& text, std::mt19937& random) {
  size_t at = text.empty() ? 0 : random() % text.size();
  switch (random() % 5) {
    case 0:
      text.erase(at, 1 + random() % 3);
      return;
    case 1:
      text.insert(at, kPieces[random() % std::size(kPieces)]);
      return;
    case 2:
      text.replace(at, 1, kPieces[random() % std::size(kPieces)]);
      return;
    case 3:  // a stretch once more, somewhere else
      text.insert(random() % (text.size() + 1), text.substr(at, random() % 20));
      return;
    default:
      if (!text.empty()) text[at] = static_cast<char>(random());
  }
}

std::string random_input(std::mt19937& random) {
  std::string out;
  if (random() % 4 == 0) {
    for (size_t n = random() % 40; n > 0; --n) out += kPieces[random() % std::size(kPieces)];
  } else {
    out = kSeeds[random() % std::size(kSeeds)];
    if (random() % 4 == 0) out += kSeeds[random() % std::size(kSeeds)];
  }
  for (size_t n = random() % 6; n > 0; --n) mutate(out, random);
  if (out.size() > 1 && random() % 2 == 0)
    out[1] = static_cast<char>(random());  // where decode_csv.cpp cuts
  return out;
}

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    run({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
  }
  if (argc > 1) return 0;
  std::mt19937 random(20260101);
  for (int i = 0; i < kInputs; ++i) run(random_input(random));
  std::printf("%d inputs\n", kInputs);
  return 0;
}
