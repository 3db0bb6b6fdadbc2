using Groundwork.Host.CommandLine;
using Groundwork.Host.Up;
using Groundwork.Tests.Support;

namespace Groundwork.Host.Tests.Up;

public sealed class UpFileReaderTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_whole_file_is_read()
    {
        directory.Write("Catalog/Catalog.csproj", "<Project/>");
        directory.Write("resources/b.yaml", "");
        directory.Write("resources/a.yaml", "");
        directory.Write("routes.yaml", "");
        var file = Read("""
            namespace: shop
            services:
              orders:
                command: [sh, -c, "exec orders", 8]
                dependsOn: [catalog]
                environment: {LEVEL: 3, DEBUG: true, NAME: x}
                optional: true
              catalog:
                project: Catalog/Catalog.csproj
                replicas: 2
                ports: [5001, 5002]
                health: /health
            resources: [routes.yaml, resources/*.yaml]
            """);
        Assert.Equal("shop", file.Namespace);
        Assert.Equal(["catalog", "orders"], file.Services.Select(service => service.Name));
        var (catalog, orders) = (file.Services[0], file.Services[1]);
        Assert.Equal(directory.Combine("Catalog", "Catalog.csproj"), catalog.Project);
        Assert.Equal((2, "/health", "catalog-2"), (catalog.Replicas, catalog.Health, catalog.InstanceId(2)));
        Assert.Equal([5001, 5002], catalog.Ports);
        Assert.Equal(["sh", "-c", "exec orders", "8"], orders.Command);
        Assert.Equal([("DEBUG", "true"), ("LEVEL", "3"), ("NAME", "x")], orders.Environment.Select(
            entry => (entry.Key, entry.Value)));
        Assert.True(orders.Optional);
        Assert.Equal(["routes.yaml", "a.yaml", "b.yaml"], file.Resources.Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("servcies: {}", "1:1 servcies 'servcies' is not known here; known are namespace, services, resources",
        "1:1 services must be a mapping from a service's name to what runs it")]
    [InlineData("services: {}", "1:1 services must be a mapping from a service's name to what runs it")]
    [InlineData("- a", "1:1 must be a mapping with 'services'")]
    [InlineData("namespace: Shop\nservices: {a: {command: [x]}}",
        "1:1 namespace 'Shop' is not a namespace: 1 to 63 of a-z, 0-9 and -")]
    [InlineData("services:\n  a: {}", "2:3 services.a needs exactly one of 'command' and 'project'")]
    [InlineData("services:\n  a: {command: [x], project: y.csproj}",
        "2:3 services.a needs exactly one of 'command' and 'project'",
            "2:21 services.a.project there is no file DIR/y.csproj")]
    [InlineData(
        "services:\n  a: {project: y}", "2:7 services.a.project 'y' must name a project file, such as x.csproj")]
    [InlineData("services:\n  a: {command: []}", "2:7 services.a.command must start with the program to run")]
    [InlineData("services:\n  a: {command: run}", "2:7 services.a.command must be a list of texts",
        "2:7 services.a.command must start with the program to run")]
    [InlineData("services:\n  a/b: {command: [x]}",
        "2:3 services.a/b 'a/b' is not a service's name: 1 to 63 of A-Z, a-z, 0-9 and . _ : @ -")]
    [InlineData("services:\n  a: 5", "2:3 services.a must be a mapping with 'command' or 'project'")]
    [InlineData("services:\n  a:\n    command: [x]\n    replicas: 0",
        "4:5 services.a.replicas must be a whole number from 1 to 16")]
    [InlineData("services:\n  a:\n    command: [x]\n    replicas: 2.5",
        "4:5 services.a.replicas must be a whole number from 1 to 16")]
    [InlineData("services:\n  a:\n    command: [x]\n    ports: 80",
        "4:5 services.a.ports must be a list of port numbers, one per replica")]
    [InlineData("services:\n  a:\n    command: [x]\n    ports: [0, 70000, x, 1, 1]",
        "4:5 services.a.ports names port 1 twice",
        "4:13 services.a.ports[0] must be a port number from 1 to 65535",
        "4:16 services.a.ports[1] must be a port number from 1 to 65535",
        "4:23 services.a.ports[2] must be a port number from 1 to 65535")]
    [InlineData("services:\n  a:\n    command: [x]\n    health: health",
        "4:5 services.a.health must be a path that starts with /")]
    [InlineData("services:\n  a:\n    command: [x]\n    health: [a]", "4:5 services.a.health must be text")]
    [InlineData(
        "services:\n  a:\n    command: [x]\n    optional: yes", "4:5 services.a.optional must be true or false")]
    [InlineData("services:\n  a:\n    command: [x]\n    environment: [A=1]",
        "4:5 services.a.environment must be a mapping from a variable to its text")]
    [InlineData("services:\n  a:\n    command: [x]\n    environment: {A=B: 1, C: [1]}",
        "4:19 services.a.environment.A=B a variable's name must not be empty nor hold =",
        "4:27 services.a.environment.C must be text")]
    [InlineData("services:\n  a:\n    command: [x]\n    dependsOn: [b]",
        "4:17 services.a.dependsOn[0] there is no service 'b'")]
    [InlineData("services:\n  a: {command: [x], dependsOn: [b]}\n  b: {command: [x], dependsOn: [a]}",
        "2:21 services.a.dependsOn these services wait for each other in a circle: a, b")]
    [InlineData("services:\n  a: {command: [x], dependsOn: [a]}",
        "2:21 services.a.dependsOn these services wait for each other in a circle: a")]
    [InlineData("services:\n  a: {command: [x], depends: [b]}",
        "2:21 services.a.depends 'depends' is not known here; "
        + "known are command, project, replicas, ports, environment, health, dependsOn, optional")]
    [InlineData("services: {a: {command: [x]}}\nresources: [none.yaml, no/*.yaml]",
        "2:13 resources[0] there is no file DIR/none.yaml", "2:24 resources[1] there is no file DIR/no/*.yaml")]
    [InlineData("services:\n  a: {command: [x]}\n  a: {command: [y]}",
        "3:3 services key 'a' stands here a second time; the first is on line 2")]
    [InlineData("a: 1\n---\nb: 1", "1:1 must hold one document")]
    public void Everything_wrong_is_told_at_once_with_its_place(string text, params string[] expected)
    {
        directory.Write("up.yaml", text);
        var (file, faults) = UpFileReader.Read(directory.Path);
        Assert.Null(file);
        Assert.Equal(
            expected.Select(fault => fault.Replace("DIR", directory.Path, StringComparison.Ordinal)),
            faults.Select(fault => $"{fault.Line}:{fault.Column} {fault.Path} {fault.Message}".Replace(
                "  ", " ", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_directory_without_the_file_is_a_fault() =>
        Assert.Contains("there is no up.yaml", Assert.Single(UpFileReader.Read(directory.Path).Faults)
            .Message, StringComparison.Ordinal);

    [Fact]
    public void A_missing_project_of_an_optional_service_is_no_fault() =>
        Assert.True(Assert.Single(Read("services: {a: {project: later.csproj, optional: true}}").Services).Optional);

    private UpFile Read(string text)
    {
        directory.Write("up.yaml", text);
        var (file, faults) = UpFileReader.Read(directory.Path);
        Assert.True(file is not null, string.Join('\n', faults.Select(VerbFailure.Describe)));
        return file;
    }
}
