#include "control/page.h"

#include <string>

namespace leat {
namespace {

// Nothing but what is in the page itself, nothing in its frame or around it, and no text that
// becomes markup.
std::string policy() {
  std::string out = "Content-Security-Policy: default-src 'none'; script-src ";
  out.append(kPage.scripts).append("; style-src ").append(kPage.styles);
  out +=
      "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors "
      "'none'; require-trusted-types-for 'script'; trusted-types 'none'\r\n";
  return out;
}

}  // namespace

bool answer_page(const http::ServerRequest& request, http::Responder& responder) {
  if (request.path != "/" || (request.method != "GET" && request.method != "HEAD")) return false;
  // Kept by the browser, which asks each time whether it is still the one.
  std::string head = "Cache-Control: no-cache\r\nVary: Accept-Encoding\r\nETag: ";
  head.append(kPage.etag).append("\r\n");
  if (request.header("if-none-match").find(kPage.etag) != std::string_view::npos) {
    responder.reply(304, "", "", head);
    return true;
  }
  if (!http::accepts_coding(request.header("accept-encoding"), "gzip")) {
    responder.reply(406, "text/plain; charset=utf-8",
                    "the page comes packed by gzip only: curl --compressed\n", head);
    return true;
  }
  head += "Content-Encoding: gzip\r\nReferrer-Policy: no-referrer\r\n" + policy();
  responder.reply(200, "text/html; charset=utf-8", std::string(kPage.packed), head);
  return true;
}

}  // namespace leat
