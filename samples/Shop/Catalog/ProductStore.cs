using Microsoft.Data.Sqlite;

namespace Shop.Catalog;

/// <summary>A product as stored.</summary>
public sealed record Product(string Id, string Name, string Description, long ListPriceMinor, string Currency);

/// <summary>The products' own SQLite file; each instance has one, seeded on first use.</summary>
public sealed class ProductStore
{
    private static readonly Product[] Seed =
    [
        new("kettle-gooseneck-1l", "Gooseneck kettle, 1 l", "Steel kettle with a spout that pours slowly", 5490, "EUR"),
        new("grinder-hand-burr", "Hand grinder", "Conical steel burrs, 30 g, adjustable in 24 steps", 7900, "EUR"),
        new("scale-2kg-timer", "Kitchen scale with timer", "2 kg in steps of 0.1 g, charges by USB-C", 3450, "EUR"),
        new("pan-iron-28", "Iron pan, 28 cm", "Seasoned forged iron, for every hob", 6290, "EUR"),
        new("knife-chef-20", "Chef's knife, 20 cm", "Hardened steel, oak handle", 8900, "EUR"),
        new("board-oak-40", "Oak board, 40 × 28 cm", "End grain, oiled", 4590, "EUR"),
        new("pot-enamel-5l", "Enamel pot, 5 l", "With lid, for 180 °C and above", 5999, "EUR"),
        new("cups-espresso-4", "Espresso cups, set of 4", "Stoneware, 80 ml", 2800, "EUR"),
        new("beans-house-1kg", "House roast, 1 kg", "Whole beans, medium roast, from this week", 2250, "EUR"),
        new("filter-paper-100", "Filter papers, 100 pieces", "Unbleached, size 2", 399, "EUR"),
        new("towel-linen-2", "Linen towels, set of 2", "Washed linen, 50 × 70 cm", 1995, "EUR"),
        new("gift-card-50", "Gift card", "Worth 50 euros, sent by mail", 5000, "EUR"),
    ];

    private readonly string connectionString;

    private ProductStore(string connectionString) => this.connectionString = connectionString;

    /// <summary>Opens the file below <c>Shop:DataDirectory</c> and puts in what is missing.</summary>
    public static ProductStore Open(IConfiguration configuration)
    {
        SQLitePCL.Batteries_V2.Init();
        var directory = configuration["Shop:DataDirectory"] ?? Path.Combine(".groundwork", "shop");
        Directory.CreateDirectory(directory);
        var file = $"{configuration["GROUNDWORK_INSTANCE_ID"] ?? "catalog"}.db";
        var store = new ProductStore(
            new SqliteConnectionStringBuilder { DataSource = Path.Combine(directory, file) }.ConnectionString);
        store.SeedMissing();
        return store;
    }

    public IReadOnlyList<Product> All()
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT id, name, description, list_price_minor, currency FROM product ORDER BY id";
        using var rows = command.ExecuteReader();
        var products = new List<Product>();
        while (rows.Read()) products.Add(Read(rows));
        return products;
    }

    public Product? Find(string id)
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT id, name, description, list_price_minor, currency FROM product WHERE id = $id";
        command.Parameters.AddWithValue("$id", id);
        using var rows = command.ExecuteReader();
        return rows.Read() ? Read(rows) : null;
    }

    private void SeedMissing()
    {
        using var connection = Connect();
        using (var schema = connection.CreateCommand())
        {
            schema.CommandText = """
                PRAGMA journal_mode = WAL;
                CREATE TABLE IF NOT EXISTS product (
                    id TEXT PRIMARY KEY,
                    name TEXT NOT NULL,
                    description TEXT NOT NULL,
                    list_price_minor INTEGER NOT NULL CHECK (list_price_minor > 0),
                    currency TEXT NOT NULL);
                """;
            schema.ExecuteNonQuery();
        }
        using var transaction = connection.BeginTransaction();
        foreach (var product in Seed)
        {
            using var insert = connection.CreateCommand();
            insert.CommandText =
                "INSERT INTO product VALUES ($id, $name, $description, $price, $currency) ON CONFLICT (id) DO NOTHING";
            insert.Parameters.AddWithValue("$id", product.Id);
            insert.Parameters.AddWithValue("$name", product.Name);
            insert.Parameters.AddWithValue("$description", product.Description);
            insert.Parameters.AddWithValue("$price", product.ListPriceMinor);
            insert.Parameters.AddWithValue("$currency", product.Currency);
            insert.ExecuteNonQuery();
        }
        transaction.Commit();
    }

    private static Product Read(SqliteDataReader row) =>
        new(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetString(4));

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection(connectionString);
        connection.Open();
        return connection;
    }
}
