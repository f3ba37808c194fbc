// Certificates for tests, made when they are needed: none in the repository that could expire.
#pragma once

#include <string>
#include <vector>

namespace leat::testing {

struct CertificateRequest {
  std::string common_name;
  std::vector<std::string> dns_names = {};
  std::vector<std::string> ipv4_addresses = {};
  std::string not_before = "20200101000000";
  std::string not_after = "20991231235959";
};

// Paths of PEM files.
struct KeyAndCertificate {
  std::string key;
  std::string certificate;
};

// An authority with its own key (P-256).
class Authority {
 public:
  // Writes its files, and those of what it issues, into `folder`.
  Authority(std::string folder, std::string name);

  const std::string& certificate() const { return files_.certificate; }
  KeyAndCertificate issue(const CertificateRequest& request);

 private:
  KeyAndCertificate make(const CertificateRequest& request, bool is_authority);

  std::string folder_;
  std::string name_;
  KeyAndCertificate files_;
  int issued_ = 0;
};

}  // namespace leat::testing
