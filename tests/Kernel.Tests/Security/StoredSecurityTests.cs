using Groundwork.Kernel.Tests.Storage;
using Groundwork.Tests.Support;

namespace Groundwork.Kernel.Tests.Security;

public sealed class SqliteSignInsTests() : SignInsContract(new SqliteTestDatabase());

public sealed class SqliteAuditLogTests() : AuditLogContract(new SqliteTestDatabase());

public sealed class SqliteSealingKeysTests() : SealingKeysContract(new SqliteTestDatabase());

public sealed class PostgresSignInsTests(PostgresServer server) : SignInsContract(new PostgresTestDatabase(server));

public sealed class PostgresAuditLogTests(PostgresServer server) : AuditLogContract(new PostgresTestDatabase(server));

public sealed class PostgresSealingKeysTests(PostgresServer server)
    : SealingKeysContract(new PostgresTestDatabase(server));
