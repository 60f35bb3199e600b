#pragma once

#include <string>

namespace catenary::tests {

/// Two signals, a line each, that become an incident of an account of their own.
std::string incident_story(int number);

}  // namespace catenary::tests
