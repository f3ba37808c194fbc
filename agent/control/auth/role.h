// The roles of who commands. They are a configuration's word, which the floor below knows, too.
#pragma once

#include "plan/role.h"
