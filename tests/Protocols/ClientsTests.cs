namespace Groundwork.Tests.Protocols;

/// <summary>The clients themselves: all are there, as published.</summary>
public sealed class ClientsTests(NpmClients clients)
{
    [Fact]
    public async Task Every_client_of_the_lock_file_is_installed_and_says_its_version()
    {
        await using var versions = clients.Run("versions.mjs");
        var said = await versions.NextAsync("versions");
        await versions.EndAsync();
        string[] wanted =
        [
            "@grpc/grpc-js", "@grpc/grpc-js-xds", "cloud-config-client", "consul", "ctrip-apollo", "etcd3",
            "eureka-js-client", "express", "express-openapi-validator", "nacos",
        ];
        foreach (var name in wanted)
        {
            var version = said.GetProperty(name).GetString();
            TestContext.Current.SendDiagnosticMessage("{0} {1}", name, version);
            Assert.Matches(@"^\d+\.\d+\.\d+$", version);
        }
    }

    [Fact]
    public async Task A_script_that_fails_fails_the_test()
    {
        await using var broken = clients.Run("versions.mjs", "no-such-package");
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => broken.NextAsync("versions"));
        Assert.Contains("no-such-package", failure.Message, StringComparison.Ordinal);
    }
}
