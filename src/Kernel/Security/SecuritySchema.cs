using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Security;

/// <summary>The tables of this part of the kernel.</summary>
public static class SecuritySchema
{
    public static IReadOnlyList<Migration> Migrations { get; } =
    [
        new("security", 1,
            // The root key that the store belongs to: one row.
            "CREATE TABLE security_install(id BIGINT PRIMARY KEY, root_fingerprint TEXT NOT NULL, created BIGINT NOT NULL)",
            """
            CREATE TABLE security_keys(
                id {key} PRIMARY KEY, wrapped {blob} NOT NULL, created BIGINT NOT NULL, state TEXT NOT NULL)
            """,
            """
            CREATE TABLE security_sign_ins(
                id {blob} PRIMARY KEY, operator {key} NOT NULL, password_digest TEXT NOT NULL, address TEXT NOT NULL,
                created BIGINT NOT NULL, used BIGINT NOT NULL, generation BIGINT NOT NULL,
                access_hash {blob} NOT NULL, access_until BIGINT NOT NULL,
                refresh_hash {blob} NOT NULL, refresh_until BIGINT NOT NULL,
                revoked BIGINT, revoked_why TEXT)
            """,
            "CREATE UNIQUE INDEX security_sign_ins_access ON security_sign_ins(access_hash)",
            "CREATE INDEX security_sign_ins_operator ON security_sign_ins(operator, created)",
            "CREATE INDEX security_sign_ins_until ON security_sign_ins(refresh_until)",
            """
            CREATE TABLE security_audit(
                seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, node TEXT NOT NULL, principal {key} NOT NULL,
                action {key} NOT NULL, target TEXT NOT NULL, outcome TEXT NOT NULL, count BIGINT NOT NULL,
                address TEXT, detail TEXT, digest {blob} NOT NULL, link {blob} NOT NULL)
            """,
            "CREATE INDEX security_audit_principal ON security_audit(principal, seq)",
            "CREATE INDEX security_audit_action ON security_audit(action, seq)",
            """
            CREATE TABLE security_invitations(
                id {blob} PRIMARY KEY, created BIGINT NOT NULL, expires BIGINT NOT NULL, invited_by TEXT NOT NULL,
                used BIGINT, used_by TEXT)
            """),
    ];
}
