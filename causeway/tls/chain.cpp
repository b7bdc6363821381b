#include "causeway/tls/chain.h"

#include "causeway/base/text.h"
#include "causeway/tls/certificate_parts.h"
#include "causeway/tls/limits.h"
#include "causeway/tls/validity.h"
#include "causeway/tls/x509_fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace causeway::tls {
namespace {

enum class Rank { pin, broken, revoked, origin, authority, dates, name, list, key_size, hash };

struct Finding {
    Rank rank;
    int depth;
    int x509;  ///< What OpenSSL is told, so that it sends the alert nearest to the fault.
    Error error;
    std::size_t order = 0;  ///< OpenSSL's, and then ours.
};

// OpenSSL's table of alerts has none for a wrong pin and sends bad_certificate for a wrong name.
// What is not in the table at all, such as this result, is told as certificate_unknown (46).
constexpr int alerts_certificate_unknown = X509_V_ERR_PERMITTED_VIOLATION;

Rank rank_of(const X509Fault& fault) {
    switch (fault.code) {
        case Tls::errSSLBadCert: return Rank::broken;
        case Tls::errSSLUnknownRootCert:
        case Tls::errSSLNoRootCert: return Rank::origin;
        default: break;
    }
    if (!fault.reason) return Rank::broken;
    if (*fault.reason == Trust::errSecCertificateRevoked) return Rank::revoked;
    if (*fault.reason == Trust::errSecCRLExpired || *fault.reason == Trust::errSecCRLNotFound ||
        *fault.reason == Trust::errSecIncompleteCertRevocationCheck)
        return Rank::list;
    return Rank::authority;
}

/// What happens while OpenSSL walks.
struct Walk {
    struct Met {
        int x509;
        int depth;
        CertificateInfo certificate;
    };
    std::vector<Met> met;
};

int walk_index() {
    static const int index = X509_STORE_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

int on_fault(int is_good, X509_STORE_CTX* store) {
    if (is_good) return 1;
    auto* walk = static_cast<Walk*>(X509_STORE_CTX_get_ex_data(store, walk_index()));
    const auto* certificate = X509_STORE_CTX_get_current_cert(store);
    walk->met.push_back({X509_STORE_CTX_get_error(store), X509_STORE_CTX_get_error_depth(store),
                         certificate ? info_of(certificate) : CertificateInfo{}});
    return 1;  // Go on: we want to hear them all.
}

class Judge {
public:
    Judge(X509_STORE_CTX* store, const ChainRules& rules) : store_(store), rules_(rules) {}

    ChainVerdict judge() {
        walk();
        if (chain_.empty()) return unreadable_leaf();
        for (std::size_t depth = 0; depth < chain_.size(); ++depth)
            look_at_certificate(chain_[depth], static_cast<int>(depth));
        look_at_name();
        look_at_pins();
        return verdict();
    }

private:
    const CertificateInfo& leaf() const { return chain_.front(); }

    void walk() {
        auto* parameters = X509_STORE_CTX_get0_param(store_);
        X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(rules_.now));
        X509_VERIFY_PARAM_set_depth(parameters, path_limit);
        // Keys and hashes are judged below, by the policy and in its words.
        X509_VERIFY_PARAM_set_auth_level(parameters, 0);
        if (rules_.checks_revocation)
            X509_VERIFY_PARAM_set_flags(parameters,
                                        X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
        Walk walk;
        X509_STORE_CTX_set_ex_data(store_, walk_index(), &walk);
        X509_STORE_CTX_set_verify_cb(store_, on_fault);
        if (X509_verify_cert(store_) <= 0 && walk.met.empty())
            walk.met.push_back({X509_STORE_CTX_get_error(store_), 0, {}});
        X509_STORE_CTX_set_ex_data(store_, walk_index(), nullptr);
        ERR_clear_error();

        const auto* certificates = X509_STORE_CTX_get0_chain(store_);
        for (int i = 0; i < sk_X509_num(certificates); ++i)
            chain_.push_back(info_of(sk_X509_value(certificates, i)));
        for (auto& met : walk.met) add_openssl_fault(met);
    }

    void add_openssl_fault(const Walk::Met& met) {
        // Dates are compared below, with all that there is to say about them.
        if (met.x509 == X509_V_ERR_CERT_HAS_EXPIRED || met.x509 == X509_V_ERR_CERT_NOT_YET_VALID)
            return;
        // The lists may be of the leaf's issuer alone; see TrustRules.
        if (met.x509 == X509_V_ERR_UNABLE_TO_GET_CRL && met.depth > 0) return;
        const auto fault = x509_fault(met.x509);
        const bool is_known = std::ranges::any_of(findings_, [&](const Finding& other) {
            return other.error.code == Code(fault.code) && rank_of(fault) == Rank::origin;
        });
        if (is_known) return;
        add({rank_of(fault), met.depth, met.x509,
             x509_error(met.x509, met.certificate, met.depth, rules_.trusted)});
    }

    void look_at_certificate(const CertificateInfo& certificate, int depth) {
        if (auto fault = date_fault(certificate, depth, rules_.now)) {
            const int x509 = fault->code == Code(Tls::errSSLCertExpired)
                                 ? X509_V_ERR_CERT_HAS_EXPIRED
                                 : X509_V_ERR_CERT_NOT_YET_VALID;
            add({Rank::dates, depth, x509, std::move(*fault)});
        }
        const bool is_root = depth > 0 && certificate.is_self_issued;
        if (is_root) return;
        look_at_key(certificate, depth);
        // A signature by the key it certifies proves nothing, so its hash matters to nobody.
        if (!certificate.is_self_issued) look_at_hash(certificate, depth);
    }

    void look_at_key(const CertificateInfo& certificate, int depth) {
        const bool is_rsa = certificate.key_type.starts_with("RSA");
        if (!is_rsa && certificate.key_type != "EC") return;
        const int wanted = is_rsa ? rules_.policy.rsa_bits : rules_.policy.elliptic_bits;
        if (certificate.key_bits >= wanted) return;
        const int x509 = depth == 0 ? X509_V_ERR_EE_KEY_TOO_SMALL : X509_V_ERR_CA_KEY_TOO_SMALL;
        add({Rank::key_size, depth, x509,
             policy_error(Tls::errSSLATSMinimumKeySizeViolation, Trust::errSecUnsupportedKeySize,
                          x509, is_rsa ? "smallest RSA key" : "smallest elliptic-curve key",
                          fmt::format("{} {} bits", certificate.key_type, certificate.key_bits),
                          fmt::format("{} bits", wanted), certificate, depth)});
    }

    void look_at_hash(const CertificateInfo& certificate, int depth) {
        const bool is_judged =
            depth == 0 ? rules_.policy.leaf_hash_sha256 : rules_.policy.chain_hash_sha256;
        if (!is_judged || certificate.signature_hash.empty()) return;
        const auto* digest = EVP_get_digestbyname(certificate.signature_hash.c_str());
        if (digest && EVP_MD_get_size(digest) >= 32) return;
        const auto code = depth == 0 ? Tls::errSSLATSLeafCertificateHashAlgorithmViolation
                                     : Tls::errSSLATSCertificateHashAlgorithmViolation;
        add({Rank::hash, depth, X509_V_ERR_CA_MD_TOO_WEAK,
             policy_error(code, Trust::errSecInvalidDigestAlgorithm, X509_V_ERR_CA_MD_TOO_WEAK,
                          "weakest hash under a signature", certificate.signature_hash, "SHA256",
                          certificate, depth)});
    }

    void look_at_name() {
        if (rules_.peer_name.empty()) return;
        auto* certificate = X509_STORE_CTX_get0_cert(store_);
        const bool is_address = IpAddress::parse(rules_.peer_name).has_value();
        const int found = is_address ? X509_check_ip_asc(certificate, rules_.peer_name.c_str(), 0)
                                     : X509_check_host(certificate, rules_.peer_name.data(),
                                                       rules_.peer_name.size(),
                                                       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                                           X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                                                       nullptr);
        ERR_clear_error();
        if (found == 1) return;
        add({Rank::name, 0, alerts_certificate_unknown,
             name_error(leaf(), rules_.peer_name, is_address)});
    }

    void look_at_pins() {
        if (rules_.pins.empty()) return;
        const bool is_pinned =
            std::ranges::any_of(rules_.pins, [&](const Pin& pin) { return pin.matches(leaf()); });
        if (!is_pinned) {
            add({Rank::pin, 0, alerts_certificate_unknown, pin_error(leaf(), rules_.pins)});
            return;
        }
        // A pin names the key itself: who vouches for it and under which name no longer matters.
        std::erase_if(findings_, [](const Finding& finding) {
            return finding.depth > 0 || finding.rank == Rank::origin ||
                   finding.rank == Rank::authority || finding.rank == Rank::name ||
                   finding.rank == Rank::broken || finding.rank == Rank::hash;
        });
    }

    ChainVerdict unreadable_leaf() {
        if (findings_.empty()) return {};
        return {std::move(findings_.front().error), findings_.front().x509};
    }

    void add(Finding finding) {
        finding.order = findings_.size();
        findings_.push_back(std::move(finding));
    }

    ChainVerdict verdict() {
        if (findings_.empty()) return {};
        std::ranges::sort(findings_, {}, [](const Finding& finding) {
            return std::tuple(finding.rank, finding.depth, finding.order);
        });
        auto& first = findings_.front();
        std::vector<std::string> also;
        for (std::size_t i = 1; i < findings_.size(); ++i)
            also.push_back(findings_[i].error.detail);
        first.error.with("names", leaf().names()).with("pin", leaf().pin);
        if (!also.empty()) first.error.with("also", join(also, "; "));
        return {std::move(first.error), first.x509};
    }

    X509_STORE_CTX* store_;
    const ChainRules& rules_;
    std::vector<CertificateInfo> chain_;
    std::vector<Finding> findings_;
};

}  // namespace

ChainVerdict judge_chain(X509_STORE_CTX* store, const ChainRules& rules) {
    return Judge(store, rules).judge();
}

}  // namespace causeway::tls
