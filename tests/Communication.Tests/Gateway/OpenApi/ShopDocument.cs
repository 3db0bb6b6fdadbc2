using System.Text.Json;
using Groundwork.Communication.Gateway.OpenApi.Documents;

namespace Groundwork.Communication.Tests.Gateway.OpenApi;

/// <summary>The document of a shop, with something of each sort.</summary>
internal static class ShopDocument
{
    public const string Text = """
        {
          "openapi": "3.1.0",
          "info": { "title": "Shop", "version": "1" },
          "servers": [{ "url": "https://shop.example.com/v1" }],
          "paths": {
            "/items": {
              "get": {
                "operationId": "listItems",
                "parameters": [
                  { "name": "limit", "in": "query", "schema": { "type": "integer", "minimum": 1, "maximum": 100 } },
                  { "name": "sort", "in": "query", "schema": { "enum": ["name", "price"] } },
                  { "name": "tag", "in": "query", "schema": { "type": "array", "items": { "type": "string",
                    "pattern": "^[a-z]+$" }, "maxItems": 3 } },
                  { "name": "ids", "in": "query", "explode": false, "schema": { "type": "array",
                    "items": { "type": "integer" } } },
                  { "name": "colours", "in": "query", "style": "pipeDelimited", "explode": false,
                    "schema": { "type": "array", "items": { "enum": ["red", "blue"] } } },
                  { "name": "price", "in": "query", "style": "deepObject", "schema": { "type": "object",
                    "properties": { "from": { "type": "number" }, "to": { "type": "number" } },
                    "additionalProperties": false } },
                  { "name": "since", "in": "query", "schema": { "type": "string", "format": "date" } },
                  { "name": "filter", "in": "query", "content": { "application/json": { "schema": {
                    "type": "object", "required": ["a"] } } } },
                  { "name": "X-Tenant", "in": "header", "required": true, "schema": { "type": "string",
                    "format": "uuid" } },
                  { "name": "X-Codes", "in": "header", "schema": { "type": "array", "items": { "type": "integer" } } },
                  { "name": "session", "in": "cookie", "schema": { "type": "string", "minLength": 4 } }
                ]
              },
              "post": {
                "operationId": "addItem",
                "requestBody": {
                  "required": true,
                  "content": {
                    "application/json": { "schema": { "$ref": "#/components/schemas/Item" } },
                    "application/x-www-form-urlencoded": { "schema": { "$ref": "#/components/schemas/Item" } },
                    "text/*": {}
                  }
                }
              }
            },
            "/items/{id}": {
              "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "integer",
                "format": "int32" } }],
              "get": { "operationId": "getItem" },
              "delete": {}
            },
            "/items/count": { "get": { "operationId": "countItems" } },
            "/files/{name}.{kind}": {
              "get": {
                "parameters": [
                  { "name": "name", "in": "path", "required": true, "schema": { "type": "string", "maxLength": 8 } },
                  { "name": "kind", "in": "path", "required": true, "schema": { "enum": ["json", "txt"] } }
                ]
              }
            }
          },
          "components": {
            "schemas": {
              "Item": {
                "type": "object",
                "required": ["id", "name", "price"],
                "properties": {
                  "id": { "type": "integer", "readOnly": true },
                  "name": { "type": "string", "minLength": 1, "maxLength": 20 },
                  "price": { "type": "number", "exclusiveMinimum": 0 },
                  "tags": { "type": "array", "uniqueItems": true, "items": { "type": "string" } },
                  "parts": { "type": "array", "items": { "$ref": "#/components/schemas/Part" } }
                },
                "additionalProperties": false
              },
              "Part": {
                "type": "object",
                "properties": { "price": { "type": "number" }, "parts": { "type": "array",
                  "items": { "$ref": "#/components/schemas/Part" } } }
              }
            }
          }
        }
        """;

    public static OpenApiDocumentSpec Spec { get; } = SpecOf(Text);

    public static OpenApiDocumentSpec SpecOf(string text)
    {
        using var document = JsonDocument.Parse(text);
        return new OpenApiDocumentSpec(document.RootElement.Clone());
    }

    /// <summary>A document of one path, <c>/a</c>, with one operation.</summary>
    public static string Of(string operation, string method = "post", string version = "3.1.0", string more = "") =>
        $"{{\"openapi\":\"{version}\",\"paths\":{{\"/a\":{{\"{method}\":{operation}}}}}{more}}}";

    /// <summary>The same with a body of JSON that has a schema.</summary>
    public static string OfBody(string schema, string version = "3.1.0", string more = "") => Of(
        """{"requestBody":{"content":{"application/json":{"schema":""" + schema + "}}}}", version: version, more: more);
}
