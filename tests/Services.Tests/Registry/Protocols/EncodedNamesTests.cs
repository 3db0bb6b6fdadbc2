using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Registry.Protocols;

/// <summary>Names with a slash, and with what stands for one, are two names.</summary>
public sealed class EncodedNamesTests
{
    [Fact]
    public async Task An_encoded_slash_is_decoded_once()
    {
        await using var node = await RunningNode.StartAsync([new RegistryModule()]);
        foreach (var (id, port) in new[] { ("a/b", 80), ("a%2Fb", 81) })
        {
            using var registered = await node.Local.PutAsync(
                "/v1/agent/service/register",
                Json($$"""{"ID": "{{id}}", "Name": "web", "Address": "10.0.0.1", "Port": {{port}}}"""));
            Assert.Equal(HttpStatusCode.OK, registered.StatusCode);
        }
        foreach (var (path, port) in new[] { ("a%2Fb", 80), ("a%252Fb", 81), ("a%252fb", 0) })
        {
            using var answer = await node.Local.GetAsync($"/v1/agent/service/{path}");
            Assert.Equal(port == 0 ? HttpStatusCode.NotFound : HttpStatusCode.OK, answer.StatusCode);
            if (port > 0)
                Assert.Equal(port, (int)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["Port"]!);
        }
        using var gone = await node.Local.PutAsync("/v1/agent/service/deregister/a%252Fb", content: null);
        Assert.Equal(HttpStatusCode.OK, gone.StatusCode);
        using var left = await node.Local.GetAsync("/v1/agent/service/a%2Fb");
        Assert.Equal(HttpStatusCode.OK, left.StatusCode);
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
