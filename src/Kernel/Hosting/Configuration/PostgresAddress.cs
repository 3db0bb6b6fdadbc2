using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace Groundwork.Kernel.Hosting.Configuration;

/// <summary>Reads where a PostgreSQL store is: Npgsql's own form, or the URL form that other tools use.</summary>
internal static class PostgresAddress
{
    public static bool TryParse(
        string text, [NotNullWhen(true)] out string? connectionString, [NotNullWhen(false)] out string? why)
    {
        connectionString = null;
        why = null;
        try
        {
            var builder = IsUrl(text) ? FromUrl(new Uri(text)) : new NpgsqlConnectionStringBuilder(text);
            if (string.IsNullOrEmpty(builder.Host))
                why = "must be sqlite, or a PostgreSQL connection string that names a Host";
            else connectionString = builder.ConnectionString;
        }
        catch (Exception malformed) when (malformed is ArgumentException or FormatException or KeyNotFoundException)
        {
            // The exception's message may quote the text, which may hold a password.
            why = "must be sqlite, Host=…;Username=…;Database=…, or postgresql://user@host/database";
        }
        return connectionString is not null;
    }

    /// <summary>The connection string for people: without the password.</summary>
    public static string Mask(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        if (!string.IsNullOrEmpty(builder.Password)) builder.Password = "***";
        if (!string.IsNullOrEmpty(builder.SslPassword)) builder.SslPassword = "***";
        return builder.ConnectionString;
    }

    private static bool IsUrl(string text) =>
        text.StartsWith("postgres://", StringComparison.Ordinal)
            || text.StartsWith("postgresql://", StringComparison.Ordinal);

    private static NpgsqlConnectionStringBuilder FromUrl(Uri url)
    {
        var builder = new NpgsqlConnectionStringBuilder { Host = url.Host };
        if (url.Port > 0) builder.Port = url.Port;
        var user = url.UserInfo.Split(':', 2);
        if (user[0].Length > 0) builder.Username = Uri.UnescapeDataString(user[0]);
        if (user.Length > 1) builder.Password = Uri.UnescapeDataString(user[1]);
        if (url.AbsolutePath.Length > 1) builder.Database = Uri.UnescapeDataString(url.AbsolutePath[1..]);
        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            // libpq writes sslmode=verify-full where Npgsql says VerifyFull.
            var value = Uri.UnescapeDataString(parts.Length > 1 ? parts[1] : "");
            builder[Uri.UnescapeDataString(parts[0])] =
                parts[0].Equals("sslmode", StringComparison.OrdinalIgnoreCase)
                    ? value.Replace("-", "", StringComparison.Ordinal)
                    : value;
        }
        return builder;
    }
}
