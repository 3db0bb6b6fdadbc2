using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Groundwork.Client.Tests.Support;

/// <summary>A service that uses the SDK, on a real server, with its log kept.</summary>
public sealed class ClientHost : IAsyncDisposable
{
    private ClientHost(WebApplication app, LogLines log)
    {
        App = app;
        Log = log;
    }

    public WebApplication App { get; }

    public LogLines Log { get; }

    public IConfiguration Configuration => App.Configuration;

    public HttpClient Http => App.Services.GetRequiredService<IHttpClientFactory>().CreateClient();

    public int Port => new Uri(App.Urls.First()).Port;

    /// <summary>Builds without starting.</summary>
    public static ClientHost Build(
        string address,
        string? state,
        Action<WebApplicationBuilder>? before = null,
        Action<GroundworkOptions>? configure = null)
    {
        var log = new LogLines();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddProvider(log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration["GROUNDWORK_ADDRESS"] = address;
        before?.Invoke(builder);
        builder.AddGroundwork(options =>
        {
            options.ServiceName = "orders";
            options.ReceiptInterval = TimeSpan.FromMilliseconds(50);
            options.DiskSnapshot = state is not null;
            options.SnapshotDirectory = state;
            configure?.Invoke(options);
        });
        return new ClientHost(builder.Build(), log);
    }

    public static async Task<ClientHost> StartAsync(
        string address,
        string? state = null,
        Action<WebApplicationBuilder>? before = null,
        Action<GroundworkOptions>? configure = null,
        Action<WebApplication>? map = null)
    {
        var host = Build(address, state, before, configure);
        map?.Invoke(host.App);
        await host.App.StartAsync();
        return host;
    }

    public ValueTask DisposeAsync() => App.DisposeAsync();
}

/// <summary>Keeps log lines as <c>Level: message</c>.</summary>
public sealed class LogLines : ILoggerProvider, ILogger
{
    public ConcurrentQueue<string> Lines { get; } = new();

    public bool Has(string text) => Lines.Any(line => line.Contains(text, StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue($"{logLevel}: {formatter(state, exception)} {exception?.Message}");

    public void Dispose()
    {
    }
}
