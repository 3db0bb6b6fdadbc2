using System.Net;
using System.Net.Sockets;
using Groundwork.Tests.Support;

namespace Groundwork.Support.Tests;

public sealed class TemporaryThingsTests
{
    [Fact]
    public void A_temporary_directory_goes_with_everything_in_it()
    {
        string path;
        using (var directory = new TemporaryDirectory())
        {
            path = directory.Path;
            Assert.True(File.Exists(directory.Write("deep/er/file.txt", "content")));
        }
        Assert.False(Directory.Exists(path));
    }

    [Fact]
    public void A_directory_that_the_test_deleted_itself_is_no_fault()
    {
        var directory = new TemporaryDirectory();
        Directory.Delete(directory.Path);
        directory.Dispose();
        Assert.False(Directory.Exists(directory.Path));
    }

    [Fact]
    public void Free_ports_differ_and_can_be_listened_on()
    {
        var ports = Enumerable.Range(0, 50).Select(_ => FreePort.Next()).ToList();
        Assert.Equal(ports.Count, ports.Distinct().Count());
        using var listener = new TcpListener(IPAddress.Loopback, ports[0]);
        listener.Start();
        Assert.Equal(ports[0], ((IPEndPoint)listener.LocalEndpoint).Port);
    }

    [Fact]
    public void A_run_repeats_from_its_seed()
    {
        var first = LongRun.Random().Next();
        var second = LongRun.Random().Next();
        Assert.Equal(first, second);
    }
}
