using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Upstreams;
using Groundwork.Host.Importing;
using Groundwork.Wire;

namespace Groundwork.Host.Tests.Importing;

/// <summary>What other gateways' configurations become is what our kinds take.</summary>
public sealed class ImportTests
{
    private const string Nginx = """
        http {
            upstream shop {
                ip_hash;
                server 10.0.0.7:8080 weight=3 max_fails=2;
                server 10.0.0.8;
                server 10.0.0.9 backup;
                keepalive 32;
            }
            upstream carts { server 127.0.0.1:9000; sticky cookie srv expires=1h domain=.example.com path=/; }
            server {
                listen 80;
                server_name shop.example.com .example.org;
                proxy_set_header X-Real "$remote_addr";
                location / { proxy_pass http://shop; }
                location /cart/ {
                    proxy_pass http://carts/v2/;
                    proxy_set_header X-Cart "yes";
                    proxy_set_header Accept-Encoding "";
                    proxy_read_timeout 1m;
                    add_header X-Served cart;
                    gzip on;
                }
                location = /health { return 200 "ok"; }
                location ~ ^/img/[0-9]+\.png$ { proxy_pass http://10.0.0.5:81; }
                location ~* \.php$ { proxy_pass http://shop; }
                location /old { return 301 https://shop.example.com$request_uri; }
            }
        }
        """;

    private const string Yarp = """
        {"ReverseProxy": {
          "Routes": {
            "orders": {"ClusterId": "orders", "Order": -5,
              "Match": {"Path": "/orders/{id}/{**rest}", "Hosts": ["shop.example.com"], "Methods": ["get"],
                "Headers": [{"Name": "X-Beta", "Values": ["1"]}, {"Name": "X", "Values": ["a"], "Mode": "Contains"}]},
              "AuthorizationPolicy": "default",
              "Transforms": [{"PathRemovePrefix": "/orders"}, {"RequestHeader": "X-A", "Set": "b"},
                {"ResponseHeaderRemove": "Server"}, {"X-Forwarded": "Set"}]},
            "lost": {"ClusterId": "nowhere", "Match": {"Path": "/x"}}
          },
          "Clusters": {"orders": {"LoadBalancingPolicy": "RoundRobin", "HealthCheck": {},
            "SessionAffinity": {"Enabled": true, "AffinityKeyName": "sid"},
            "Destinations": {"a": {"Address": "http://10.0.0.1:5000/"}, "b": {"Address": "http://10.0.0.2:5000"}}}}
        }}
        """;

    [Fact]
    public void An_nginx_configuration_becomes_upstreams_and_routes()
    {
        var imported = NginxImport.Read(Nginx);
        AssertValid(imported);
        // Beside expressions prefixes are expressions, too, with priorities in the order in which nginx takes them.
        Assert.Equal(
            ["upstream shop", "upstream carts", "route shop.example.com-health", "upstream 10.0.0.5-81",
                "route shop.example.com-img-0-9-.png", "route shop.example.com-.php", "route shop.example.com-cart",
                "route shop.example.com-old", "route shop.example.com", "route shop.example.com-cart-2"],
            imported.Resources.Select(one => $"{one["kind"]} {one["name"]}"));
        AssertSpec(imported, "shop", """
            {"addresses":[{"address":"10.0.0.7:8080","weight":300},{"address":"10.0.0.8:80","weight":100},
             {"address":"10.0.0.9:80","tier":1,"weight":100}],"choose":{"policy":"hash","by":"client"}}
            """);
        AssertSpec(imported, "shop.example.com-cart", """
            {"match":{"hosts":["shop.example.com","example.org","*.example.org"],"path":"~/cart/(?<below>.*)"},
             "upstream":"carts","request":{"path":{"template":"/v2/{below}"},
              "headers":{"set":{"X-Cart":"yes"},"remove":["Accept-Encoding"]}},
             "response":{"headers":{"add":{"X-Served":"cart"}}},
             "timeouts":{"responseHeadMs":60000,"idleMs":60000},"priority":500}
            """);
        AssertSpec(imported, "shop.example.com-cart-2", """
            {"match":{"hosts":["shop.example.com","example.org","*.example.org"],"path":"/cart"},
             "redirect":{"to":"/cart/","status":301,"keepQuery":true}}
            """);
        AssertSpec(imported, "shop.example.com-.php", """
            {"match":{"hosts":["shop.example.com","example.org","*.example.org"],"path":"~(?i).*\\.php"},
             "upstream":"shop","request":{"headers":{"set":{"X-Real":"{client}"}}},
             "timeouts":{"responseHeadMs":60000,"idleMs":60000},"priority":899}
            """);
        AssertSpec(imported, "shop.example.com-old", """
            {"match":{"hosts":["shop.example.com","example.org","*.example.org"],"path":"~/old.*"},
             "redirect":{"to":"https://shop.example.com{path}","status":301,"keepQuery":true},"priority":499}
            """);
        Assert.Equal(
            [
                "line 4: max_fails=2 of server 10.0.0.7:8080",
                "line 3: ip_hash by networks of 256 addresses: here each address stays at an instance, and not at the "
                + "one that it had",
                "line 7: keepalive 32",
                "line 10: as the first of its address it took requests for unknown hosts, too, which are refused here",
                "line 11: listen 80", "line 21: gzip on",
            ],
            imported.LeftOut);
    }

    [Fact]
    public void Without_expressions_prefixes_are_whole_segments_and_what_that_changes_is_told()
    {
        var imported = NginxImport.Read("""
            upstream big { server 10.0.0.1 weight=500; server 10.0.0.2 weight=1; server 10.0.0.3 down; }
            server {
                listen 80 default_server;
                listen 8080;
                server_name _;
                proxy_set_header Host $host;
                proxy_set_header X-Name $hostname;
                location /a/ { proxy_pass http://big/b/; proxy_connect_timeout 500ms; }
                location /c { proxy_pass http://big/d/; }
                location = /e { proxy_pass http://big/f; proxy_set_header Host "inner.example"; }
                location /g/ { return 200 "at $host"; proxy_pass http://big; }
                location /h/ { return 200 "{x}"; proxy_pass http://big; }
                location /i/ { rewrite ^ /j; }
            }
            server { listen 80; server_name _; location / { proxy_pass http://big; } }
            server { listen 8080; server_name one.example; return 301 https://$host$request_uri; location / { deny all; } }
            server { listen 443 ssl; server_name one.example; location / { proxy_pass https://10.0.0.9; } }
            """);
        AssertValid(imported);
        AssertSpec(imported, "big", """
            {"addresses":[{"address":"10.0.0.1:80","weight":10000},{"address":"10.0.0.2:80","weight":20}],
             "choose":{"policy":"round-robin"}}
            """);
        AssertSpec(imported, "any-a", """
            {"match":{"hosts":["*"],"path":"/a/**"},"upstream":"big",
             "request":{"host":"{host}","path":{"stripPrefix":"/a","addPrefix":"/b"}},
             "timeouts":{"responseHeadMs":60000,"idleMs":60000,"connectMs":500}}
            """);
        AssertSpec(imported, "any-e", """
            {"match":{"hosts":["*"],"path":"/e"},"upstream":"big","request":{"host":"inner.example","path":{"template":"/f"}},
             "timeouts":{"responseHeadMs":60000,"idleMs":60000}}
            """);
        AssertSpec(imported, "any-h", """
            {"match":{"hosts":["*"],"path":"/h/**"},"respond":{"status":200,"body":"{x}"}}
            """);
        AssertSpec(imported, "one.example", """
            {"match":{"hosts":["one.example"],"path":"/**"},"upstream":"10.0.0.9",
             "timeouts":{"responseHeadMs":60000,"idleMs":60000}}
            """);
        var told = string.Join('\n', imported.LeftOut);
        foreach (var expected in new[]
        {
            "line 1: server 10.0.0.3 down (", "line 7: proxy_set_header X-Name $hostname",
            "line 9: location /c also took /cx in nginx", "line 9: proxy_pass http://big/d/ (/d/ takes the place of /c",
            "line 11: return 200 at $host", "line 13: rewrite ^ /j", "line 13: location /i/ (it leads nowhere",
            "line 15: server_name _: another one is the default server", "line 15: server (no request comes to it)",
            "line 16: location / (its server answers before it)",
            "line 16: return 301 https://$host$request_uri (one.example /** has a route already; see redirectToHttps",
        }) Assert.Contains(expected, told, StringComparison.Ordinal);
    }

    [Fact]
    public void A_YARP_configuration_becomes_upstreams_and_routes()
    {
        var imported = YarpImport.Read(Yarp);
        AssertValid(imported);
        AssertSpec(imported, "orders", """
            {"addresses":[{"address":"10.0.0.1:5000"},{"address":"10.0.0.2:5000"}],"choose":{"policy":"round-robin"},
             "sticky":{"cookie":"sid"}}
            """);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""
            {"match":{"hosts":["shop.example.com"],"path":"/orders/{id}/**","methods":["GET"],
              "headers":[{"name":"X-Beta","values":["1"]}]},"upstream":"orders","priority":5,
             "request":{"path":{"stripPrefix":"/orders"},"headers":{"set":{"X-A":"b"}}},
             "response":{"headers":{"remove":["Server"]}}}
            """), imported.Resources[1]["spec"]), imported.Resources[1].ToJsonString());
        Assert.Equal(
            [
                "cluster orders: HealthCheck",
                """route orders: headers {"Name":"X","Values":["a"],"Mode":"Contains"}""",
                """route orders: transform {"X-Forwarded":"Set"}""",
                "route orders: AuthorizationPolicy", "route lost: it has no cluster that is there",
            ],
            imported.LeftOut);
    }

    [Theory]
    [InlineData("upstream a { server b", "line 1: the file ends within a block or a directive")]
    [InlineData("}", "line 1: a } has no block, or a directive no ;")]
    [InlineData("a\n;;", "line 2: a directive has no name")]
    public void What_is_no_configuration_is_told_with_its_line(string text, string fault) =>
        Assert.Equal(fault, Assert.Throws<FormatException>(() => NginxImport.Read(text)).Message);

    private static void AssertSpec(Imported imported, string name, string spec)
    {
        var found = imported.Resources.First(one => (string?)one["name"] == name)["spec"];
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(spec), found), found?.ToJsonString());
    }

    // By the kinds' own rules.
    private static void AssertValid(Imported imported)
    {
        foreach (var resource in imported.Resources)
        {
            var faults = new List<FieldFault>();
            var text = resource["spec"]?.ToJsonString() ?? "";
            if ((string?)resource["kind"] == "route")
                RouteKind.Kind.Validate!(JsonSerializer.Deserialize(
                    text, (JsonTypeInfo<RouteSpec>)RouteKind.Kind.SpecTypeInfo)!,
                    faults);
            else
                UpstreamKind.Kind.Validate!(JsonSerializer.Deserialize(
                    text,
                    (JsonTypeInfo<UpstreamSpec>)UpstreamKind.Kind.SpecTypeInfo)!,
                    faults);
            Assert.True(faults.Count == 0, $"{resource.ToJsonString()}\n{string.Join('\n', faults)}");
        }
    }
}
