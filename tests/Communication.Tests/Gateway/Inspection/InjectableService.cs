using System.Text;
using Microsoft.AspNetCore.Http;
using SQLitePCL;

namespace Groundwork.Communication.Tests.Gateway.Inspection;

/// <summary>A service that puts what it is asked for into its statements, as none should.</summary>
internal sealed class InjectableService : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly sqlite3 database;
    private readonly WebInstance instance;

    private InjectableService(sqlite3 database, WebInstance instance) =>
        (this.database, this.instance) = (database, instance);

    public System.Net.IPEndPoint Address => instance.Address;

    public int Requests => instance.Requests;

    public static async Task<InjectableService> StartAsync()
    {
        Batteries_V2.Init();
        Check(raw.sqlite3_open(":memory:", out var opened), opened);
        Check(raw.sqlite3_exec(opened, """
            create table products (id integer primary key, name text, price integer);
            insert into products values (1, 'lamp', 20), (2, 'chair', 50), (3, 'desk', 120);
            create table users (name text, password text);
            insert into users values ('anna', 'correct horse'), ('bob', 'battery staple');
            """), opened);
        InjectableService? service = null;
        var server = await WebInstance.StartAsync(context => service!.AnswerAsync(context)); // Asked later.
        return service = new InjectableService(opened, server);
    }

    public async ValueTask DisposeAsync()
    {
        await instance.DisposeAsync();
        database.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var id = context.Request.Query["id"].ToString();
        // The number is put in bare, the name in quotes: the two ways in which this is done wrong.
        var statement = context.Request.Path == "/by-name"
            ? $"select name, price from products where name = '{id}'"
            : $"select name, price from products where id = {id}";
        context.Response.ContentType = "text/html; charset=utf-8";
        if (TryRun(statement, out var rows))
        {
            await context.Response.WriteAsync($"<html><body><h1>Products</h1>{rows}</body></html>");
            return;
        }
        context.Response.StatusCode = 500;
        await context.Response.WriteAsync("<html><body>Sorry.</body></html>");
    }

    private bool TryRun(string statement, out string rows)
    {
        rows = "";
        lock (gate)
        {
            if (raw.sqlite3_prepare_v2(database, statement, out var prepared) != raw.SQLITE_OK) return false;
            using (prepared)
            {
                var text = new StringBuilder();
                while (raw.sqlite3_step(prepared) is var step && step != raw.SQLITE_DONE)
                {
                    if (step != raw.SQLITE_ROW) return false;
                    text.Append("<p>").Append(raw.sqlite3_column_text(prepared, 0).utf8_to_string()).Append("</p>");
                }
                rows = text.ToString();
                return true;
            }
        }
    }

    private static void Check(int code, sqlite3 opened)
    {
        if (code != raw.SQLITE_OK) throw new InvalidOperationException(raw.sqlite3_errmsg(opened).utf8_to_string());
    }
}
