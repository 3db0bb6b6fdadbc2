using Groundwork.Services.KeyValue;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Registry.Protocols;

/// <summary>Calls that no endpoint of a protocol takes: refused as its clients know refusals.</summary>
public sealed class UnmatchedCallsTests
{
    [Fact]
    public async Task What_a_protocol_has_no_method_or_path_for_is_told_in_its_shape()
    {
        await using var node = await RunningNode.StartAsync([new RegistryModule(), new KeyValueModule()]);
        foreach (var (method, path, status, type, text) in new[]
        {
            ("PATCH", "/nacos/v1/ns/instance", 400, "text/plain", "PATCH is not allowed"),
            ("PATCH", "/nacos/v2/ns/instance", 400, "application/json", "\"code\":20002"),
            ("GET", "/nacos/v3/nothing", 404, "text/plain", "There is nothing"),
            ("PUT", "/eureka/apps", 405, null, ""),
            ("GET", "/eureka/nothing", 404, null, ""),
            ("POST", "/v1/agent/service/register", 405, "text/plain", "POST is not allowed"),
            ("GET", "/v1/catalog/nothing", 404, "text/plain", "There is nothing"),
            ("PATCH", "/v1/kv/a", 405, "text/plain", "PATCH is not allowed"),
            ("GET", "/v1/txn", 405, "text/plain", "GET is not allowed"),
            ("GET", "/v1/nothing", 404, "application/problem+json", "\"not_found\""),
        })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            using var answer = await node.Local.SendAsync(request);
            var body = await answer.Content.ReadAsStringAsync();
            Assert.True(
                ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType) == (status, type)
                && body.Contains(text, StringComparison.Ordinal) && (type is not null || body.Length == 0),
                $"{method} {path}: {(int)answer.StatusCode} {answer.Content.Headers.ContentType} {body}");
        }
    }
}
