// Where there is no iconv: a static binary, which could not load its tables.
#include "codec/text/gbk.h"

namespace leat {

const Gbk* Gbk::get() {
  return nullptr;
}

}  // namespace leat
