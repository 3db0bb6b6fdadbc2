using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace Shop.Orders;

/// <summary>The orders' own SQLite file.</summary>
public sealed class OrderStore
{
    private const string Columns = "id, client_order_id, state, lines, total_minor, currency, placed_at, payment_id";

    private readonly string connectionString;

    private OrderStore(string connectionString) => this.connectionString = connectionString;

    public static OrderStore Open(IConfiguration configuration)
    {
        SQLitePCL.Batteries_V2.Init();
        var directory = configuration["Shop:DataDirectory"] ?? Path.Combine(".groundwork", "shop");
        Directory.CreateDirectory(directory);
        var store = new OrderStore(new SqliteConnectionStringBuilder
        {
            DataSource = Path.Combine(directory, "orders.db"),
        }.ConnectionString);
        using var connection = store.Connect();
        Execute(connection, """
            PRAGMA journal_mode = WAL;
            CREATE TABLE IF NOT EXISTS purchase (
                id TEXT PRIMARY KEY,
                client_order_id TEXT NOT NULL UNIQUE,
                state TEXT NOT NULL CHECK (state IN ('pending', 'confirmed', 'declined')),
                lines TEXT NOT NULL,
                total_minor INTEGER NOT NULL CHECK (total_minor > 0),
                currency TEXT NOT NULL,
                placed_at TEXT NOT NULL,
                payment_id TEXT,
                CHECK ((state = 'confirmed') = (payment_id IS NOT NULL)));
            CREATE INDEX IF NOT EXISTS purchase_pending ON purchase (placed_at) WHERE state = 'pending';
            """);
        return store;
    }

    /// <summary>False when the client's id is taken.</summary>
    public bool TryAdd(Order order)
    {
        using var connection = Connect();
        return Execute(
            connection,
            $"""
            INSERT INTO purchase ({Columns})
            VALUES ($id, $client, $state, $lines, $total, $currency, $at, NULL)
            ON CONFLICT (client_order_id) DO NOTHING
            """,
            ("$id", order.Id.ToString()), ("$client", order.ClientOrderId), ("$state", order.State),
            ("$lines", JsonSerializer.Serialize(order.Lines)), ("$total", order.TotalMinor),
            ("$currency", order.Currency),
            ("$at", Text(order.PlacedAt))) == 1;
    }

    /// <summary>Confirms a pending order; one that is settled stays as it is.</summary>
    public void Confirm(Guid id, Guid paymentId)
    {
        using var connection = Connect();
        Execute(
            connection,
            "UPDATE purchase SET state = 'confirmed', payment_id = $payment WHERE id = $id AND state = 'pending'",
            ("$id", id.ToString()), ("$payment", paymentId.ToString()));
    }

    /// <summary>Declines a pending order; one that is settled stays as it is.</summary>
    public void Decline(Guid id)
    {
        using var connection = Connect();
        Execute(
            connection, "UPDATE purchase SET state = 'declined' WHERE id = $id AND state = 'pending'",
            ("$id", id.ToString()));
    }

    public Order? Find(Guid id) =>
        Query($"SELECT {Columns} FROM purchase WHERE id = $id", ("$id", id.ToString())).FirstOrDefault();

    public Order? FindByClientOrderId(string clientOrderId) =>
        Query($"SELECT {Columns} FROM purchase WHERE client_order_id = $client", ("$client", clientOrderId))
            .FirstOrDefault();

    public IReadOnlyList<Order> Newest(int limit) =>
        Query($"SELECT {Columns} FROM purchase ORDER BY placed_at DESC LIMIT $limit", ("$limit", limit));

    /// <summary>Pending orders placed before the time, oldest first.</summary>
    public IReadOnlyList<Order> PendingBefore(DateTimeOffset time, int limit) => Query(
        $"SELECT {Columns} FROM purchase WHERE state = 'pending' AND placed_at < $time ORDER BY placed_at LIMIT $limit",
        ("$time", Text(time)), ("$limit", limit));

    private List<Order> Query(string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        using var connection = Connect();
        using var command = Command(connection, sql, parameters);
        using var row = command.ExecuteReader();
        var orders = new List<Order>();
        while (row.Read())
        {
            orders.Add(new Order(
                Guid.Parse(row.GetString(0)),
                row.GetString(1),
                row.GetString(2),
                JsonSerializer.Deserialize<List<OrderLine>>(row.GetString(3)) ?? [],
                row.GetInt64(4),
                row.GetString(5),
                DateTimeOffset.Parse(row.GetString(6), CultureInfo.InvariantCulture),
                row.IsDBNull(7) ? null : Guid.Parse(row.GetString(7))));
        }
        return orders;
    }

    private static int Execute(
        SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        using var command = Command(connection, sql, parameters);
        return command.ExecuteNonQuery();
    }

    private static SqliteCommand Command(
        SqliteConnection connection, string sql, ReadOnlySpan<(string Name, object Value)> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
        return command;
    }

    // UTC in a form whose order as text is the order in time.
    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection(connectionString);
        connection.Open();
        Execute(connection, "PRAGMA synchronous = FULL"); // Money: an answered order survives a power cut.
        return connection;
    }
}
