using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Shop.Payments;

/// <summary>A payment made. The amount is in whole minor units of the currency.</summary>
public sealed record Payment(Guid Id, Guid OrderId, long AmountMinor, string Currency, DateTimeOffset At);

/// <summary>The payments' own SQLite file. The order's id is the key, so an order cannot be charged twice.</summary>
public sealed class PaymentStore
{
    private readonly string connectionString;

    private PaymentStore(string connectionString) => this.connectionString = connectionString;

    public static PaymentStore Open(IConfiguration configuration)
    {
        SQLitePCL.Batteries_V2.Init();
        var directory = configuration["Shop:DataDirectory"] ?? Path.Combine(".groundwork", "shop");
        Directory.CreateDirectory(directory);
        var store = new PaymentStore(new SqliteConnectionStringBuilder
        {
            DataSource = Path.Combine(directory, "payments.db"),
        }.ConnectionString);
        using var connection = store.Connect();
        using var schema = connection.CreateCommand();
        schema.CommandText = """
            PRAGMA journal_mode = WAL;
            CREATE TABLE IF NOT EXISTS payment (
                order_id TEXT PRIMARY KEY,
                id TEXT NOT NULL,
                amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
                currency TEXT NOT NULL,
                at TEXT NOT NULL);
            """;
        schema.ExecuteNonQuery();
        return store;
    }

    /// <summary>Makes the payment, or gives the one that was made for the order before.</summary>
    public (Payment Payment, bool IsNew) Charge(Payment payment)
    {
        using var connection = Connect();
        using var insert = connection.CreateCommand();
        insert.CommandText =
            "INSERT INTO payment VALUES ($order, $id, $amount, $currency, $at) ON CONFLICT (order_id) DO NOTHING";
        insert.Parameters.AddWithValue("$order", payment.OrderId.ToString());
        insert.Parameters.AddWithValue("$id", payment.Id.ToString());
        insert.Parameters.AddWithValue("$amount", payment.AmountMinor);
        insert.Parameters.AddWithValue("$currency", payment.Currency);
        insert.Parameters.AddWithValue("$at", payment.At.ToString("O", CultureInfo.InvariantCulture));
        var isNew = insert.ExecuteNonQuery() == 1;
        return isNew
            ? (payment, true)
            : (Find(payment.OrderId) ?? throw new InvalidOperationException("A payment has vanished."), false);
    }

    public Payment? Find(Guid orderId)
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT id, order_id, amount_minor, currency, at FROM payment WHERE order_id = $order";
        command.Parameters.AddWithValue("$order", orderId.ToString());
        using var row = command.ExecuteReader();
        return row.Read()
            ? new Payment(
                Guid.Parse(row.GetString(0)), Guid.Parse(row.GetString(1)), row.GetInt64(2), row.GetString(3),
                DateTimeOffset.Parse(row.GetString(4), CultureInfo.InvariantCulture))
            : null;
    }

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection(connectionString);
        connection.Open();
        using var durable = connection.CreateCommand();
        durable.CommandText = "PRAGMA synchronous = FULL"; // Money: an answered payment survives a power cut.
        durable.ExecuteNonQuery();
        return connection;
    }
}
