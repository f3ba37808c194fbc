#include "connectors/mysql/errors.h"

#include <errmsg.h>
#include <mysqld_error.h>

#include <algorithm>
#include <iterator>

namespace leat::mysql {
namespace {

// Of MariaDB and of MySQL alone, whose headers the other does not have.
constexpr unsigned kConnectionKilled = 1927;
constexpr unsigned kMaxStatementTime = 1969;
constexpr unsigned kMaxExecutionTime = 3024;
constexpr unsigned kServerOffline = 3032;
constexpr unsigned kDisconnectedForIdling = 4031;

// It is not for the data nor for the statement, and passes: restarts, failovers, limits, locks.
constexpr unsigned kPassing[] = {
    ER_CON_COUNT_ERROR,
    ER_OUT_OF_RESOURCES,
    ER_SERVER_SHUTDOWN,
    ER_NORMAL_SHUTDOWN,
    ER_SHUTDOWN_COMPLETE,
    ER_DISK_FULL,
    ER_ABORTING_CONNECTION,
    ER_NEW_ABORTING_CONNECTION,
    ER_NET_READ_ERROR,
    ER_NET_READ_INTERRUPTED,
    ER_NET_ERROR_ON_WRITE,
    ER_NET_WRITE_INTERRUPTED,
    ER_HOST_IS_BLOCKED,
    ER_TOO_MANY_USER_CONNECTIONS,
    ER_LOCK_WAIT_TIMEOUT,
    ER_LOCK_TABLE_FULL,
    ER_LOCK_DEADLOCK,
    ER_USER_LIMIT_REACHED,
    ER_OPTION_PREVENTS_STATEMENT,  // read_only: a failover is under way
    ER_QUERY_INTERRUPTED,
    ER_TABLE_DEF_CHANGED,
    ER_RECORD_FILE_FULL,
    ER_OUTOFMEMORY,
    ER_OUT_OF_SORTMEMORY,
    kConnectionKilled,
    kMaxStatementTime,
    kMaxExecutionTime,
    kServerOffline,
    kDisconnectedForIdling,
};

// Of those, and others, what a connection does not outlive.
constexpr unsigned kEnding[] = {
    ER_SERVER_SHUTDOWN,         ER_NORMAL_SHUTDOWN, ER_SHUTDOWN_COMPLETE,   ER_ABORTING_CONNECTION,
    ER_NEW_ABORTING_CONNECTION, kConnectionKilled,  kDisconnectedForIdling,
};

// MySQL's and MariaDB's numbers for a CHECK that does not hold.
constexpr unsigned kCheckOfMysql = 3819;
constexpr unsigned kCheckOfMariadb = 4025;
constexpr unsigned kBadJson = 3140;
constexpr unsigned kBadGeometry = 1416;
constexpr unsigned kFulltextTooLong = 3751;

// What one row is refused for, and another is not.
constexpr unsigned kOfRow[] = {
    ER_DUP_ENTRY,
    ER_DUP_ENTRY_WITH_KEY_NAME,
    ER_BAD_NULL_ERROR,
    ER_NO_DEFAULT_FOR_FIELD,
    ER_DATA_TOO_LONG,
    ER_WARN_DATA_OUT_OF_RANGE,
    ER_TRUNCATED_WRONG_VALUE,
    ER_TRUNCATED_WRONG_VALUE_FOR_FIELD,
    WARN_DATA_TRUNCATED,
    ER_DATA_OUT_OF_RANGE,
    ER_ILLEGAL_VALUE_FOR_TYPE,
    ER_DIVISION_BY_ZERO,
    ER_NO_REFERENCED_ROW,
    ER_NO_REFERENCED_ROW_2,
    ER_ROW_IS_REFERENCED,
    ER_ROW_IS_REFERENCED_2,
    ER_NO_PARTITION_FOR_GIVEN_VALUE,
    ER_VIEW_CHECK_FAILED,
    ER_SIGNAL_EXCEPTION,
    ER_TOO_BIG_ROWSIZE,
    ER_NET_PACKET_TOO_LARGE,
    ER_AUTOINC_READ_FAILED,  // they are used up, for rows that bring none
    ER_ILLEGAL_PARAMETER_DATA_TYPES2_FOR_OPERATION,
    kBadGeometry,
    kBadJson,
    kFulltextTooLong,
    kCheckOfMysql,
    kCheckOfMariadb,
};

// Classes of SQLSTATE: no data, data, integrity, and what a SIGNAL has for its own.
constexpr std::string_view kClassesOfRow[] = {"02", "22", "23", "45"};

template <size_t N>
bool is_one(const unsigned (&numbers)[N], unsigned number) {
  return std::ranges::find(numbers, number) != std::end(numbers);
}

bool is_of_library(unsigned number) {
  return number >= 2000 && number < 3000;
}

}  // namespace

ErrorKind kind_of(unsigned number) {
  // A plugin that cannot be loaded, and a protocol of another century, stay.
  if (number == CR_AUTH_PLUGIN_CANNOT_LOAD || number == CR_VERSION_ERROR) return ErrorKind::kUsage;
  return is_of_library(number) || is_one(kPassing, number) ? ErrorKind::kUnavailable
                                                           : ErrorKind::kUsage;
}

bool is_lost(unsigned number) {
  return is_of_library(number) || is_one(kEnding, number);
}

bool is_of_row(unsigned number, std::string_view state) {
  if (is_one(kOfRow, number)) return true;
  // The class of an ambiguous column, as in a trigger, is 23.
  if (kind_of(number) == ErrorKind::kUnavailable || number == ER_NON_UNIQ_ERROR) return false;
  return std::ranges::find(kClassesOfRow, state.substr(0, 2)) != std::end(kClassesOfRow);
}

}  // namespace leat::mysql
