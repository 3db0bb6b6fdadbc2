namespace Groundwork.Presentation.Tests;

/// <summary>One node for the tests of a class, which keep out of each other's way by names.</summary>
public sealed class SharedConsole : IAsyncLifetime
{
    private OpenConsole? console;

    public OpenConsole Console => console ?? throw new InvalidOperationException("The node did not start.");

    public async ValueTask InitializeAsync() => console = await OpenConsole.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (console is not null) await console.DisposeAsync();
    }

    /// <summary>Writes a resource over the node's socket.</summary>
    public async Task<string> PutAsync(string resource, object spec, string reason = "")
    {
        using var local = Console.Node.Local();
        using var request = new HttpRequestMessage(HttpMethod.Put, $"resources/{resource}")
        {
            Content = System.Net.Http.Json.JsonContent.Create(new { spec }),
        };
        request.Headers.Add("Groundwork-Reason", Uri.EscapeDataString(reason));
        using var answer = await local.SendAsync(request);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        return body;
    }

    /// <summary>What the API says of a resource, secrets in clear.</summary>
    public async Task<string> GetAsync(string resource)
    {
        using var local = Console.Node.Local();
        return await local.GetStringAsync($"resources/{resource}?reveal=true");
    }
}
