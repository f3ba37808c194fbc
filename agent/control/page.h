// The page of agent.admin, for browsers: agent/control/page/, packed into the binary. It holds no
// data: what it shows it asks for, with the token that it is given.
//
// Thread: the main loop's.
#pragma once

#include <string_view>

#include "protocols/http/server.h"

namespace leat {

// What page/embed has made of it.
struct Page {
  std::string_view packed;   // by gzip
  std::string_view etag;     // with its quotes
  std::string_view scripts;  // sources of Content-Security-Policy that allow its own script,
  std::string_view styles;   // and its own style
};
extern const Page kPage;

// False: this is another path.
bool answer_page(const http::ServerRequest& request, http::Responder& responder);

}  // namespace leat
